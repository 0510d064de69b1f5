"""One server with a registry of its own for everything that is pulled, each over a proxy of its
own: what befalls one upstream is nothing to the others, and nothing is shared that is not meant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from attrs import define, evolve, field, frozen

from tests.e2e.processes import until
from tests.e2e.server import Setting, Upstream
from tests.faults.fault import Fault
from tests.faults.judging import Judge, Wanted
from tests.faults.node import HASTY, OLD_AT_ONCE, Node
from tests.faults.proxy import Proxies, Proxy
from tests.faults.stage import MEMBERS, Goods, Stage
from virtreg.testing.origin import Origin

AT_ONCE = 16
"""Cases that run at the same time: most of them wait."""

LINGERING = 0.5
"""Seconds that a fault stays once all are answered that had begun before it: what they were
answered is written behind them."""

Moment = Literal["idle", "before", "head", "first", "middle", "last"]
"""How far an upstream's answer has come. ``idle``: nothing was asked yet."""

Must = Literal["none", "held", "all"]


@frozen
class Slot:
    """``name`` is that of its registry and of its upstream."""

    name: str
    stage: Stage
    faulty: int = 0
    """Which of the members is behind the slot's own proxy, if there are several."""

    @property
    def goods(self) -> Goods:
        return self.stage.goods(self.name)

    def __str__(self) -> str:
        return f"{self.name} {self.stage}"


@define(eq=False)
class Ground:
    """Thread-safe but for what restarts the node."""

    node: Node
    origin: Origin
    proxies: Mapping[str, Proxy]
    """By slot, and by the empty name what other members are behind."""
    judge: Judge
    held: list[Wanted] = field(factory=list)
    """What was verified and kept."""

    def wanted(self, slot: Slot) -> Wanted:
        goods = slot.goods
        url = self.node.url(slot.name, goods.asked)
        return Wanted(url, goods.truth, goods.essence, dict(goods.headers))

    def prepare(self, slot: Slot) -> str | None:
        """Publish it; where it is to be old, have it held first."""
        goods = slot.goods
        goods.put(self.origin)
        if not slot.stage.held:
            return None
        complaint = self.judge.heal(self.wanted(slot))
        if complaint is not None:
            return f"{slot}: at first {complaint}"
        if goods.renew is not None:
            goods.renew(self.origin)
        return None

    def recover(self, slot: Slot) -> str | None:
        """Once all is well again: it is served and held."""
        wanted = self.wanted(slot)
        complaint = self.judge.heal(wanted)
        if complaint is not None:
            return f"{slot}: {complaint}"
        self.held.append(wanted)
        return None

    def lost(self) -> list[str]:
        """What was held and is not served any more, with nobody left to ask; counted."""
        for proxy in self.proxies.values():
            proxy.inject(Fault("refuse"))
        try:
            asked = together(lambda each: self.judge.ask(each, must=True)[1], self.held)
        finally:
            for proxy in self.proxies.values():
                proxy.heal()
        lost = [complaint for complaint in asked if complaint is not None]
        self.judge.tally.kept(len(asked), len(lost))
        return lost

    def strike(
        self,
        component: str,
        slots: Sequence[Slot],
        moment: Moment,
        inject: Callable[[], None],
        heal: Callable[[], None],
        *,
        must: Must = "none",
    ) -> list[str]:
        """Let something break while all these slots are asked for and have come so far, mend it
        once all are answered, and have them recover; what was wrong. ``must`` says which have to
        be served all the same."""
        complaints = [said for said in together(self.prepare, slots) if said is not None]
        if complaints:
            return complaints
        with ThreadPoolExecutor(max(1, len(slots))) as pool:
            asked: list[Future[str | None]] = []

            def begin() -> None:
                asked.extend(
                    pool.submit(
                        self._asked, slot, must == "all" or (must == "held" and slot.stage.held)
                    )
                    for slot in slots
                )

            if moment == "idle":
                inject()
                begin()
            else:
                for slot in slots:
                    self.proxies[slot.name].inject(_stopping(slot.goods, moment))
                begin()
                for slot in slots:
                    proxy = self.proxies[slot.name]
                    until(partial(_struck, proxy), f"moment {moment!r} of {slot}")
                inject()
                for slot in slots:
                    self.proxies[slot.name].heal()
            complaints = [said for each in asked if (said := each.result()) is not None]
            if moment != "idle":
                threading.Event().wait(LINGERING)
        heal()
        for _ in slots:
            self.judge.tally.strike(component)
        return complaints + [said for said in together(self.recover, slots) if said is not None]

    def _asked(self, slot: Slot, must: bool) -> str | None:
        _, complaint = self.judge.ask(self.wanted(slot), must=must)
        return None if complaint is None else f"{slot}: {complaint}"


def _struck(proxy: Proxy) -> bool:
    return proxy.struck > 0


def together(
    work: Callable[..., str | None], items: Sequence[object], at_once: int = AT_ONCE
) -> list[str | None]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, items))


def agree(complaints: Iterable[str | None]) -> None:
    """AssertionError that tells them all, if there are any."""
    told = [said for said in complaints if said is not None]
    assert not told, "\n".join(told)


def slots_for(stages: Sequence[Stage], prefix: str) -> list[Slot]:
    """One for each stage; a merge's faulty member is another one each time."""
    return [
        Slot(f"{prefix}-{number}", stage, number % len(MEMBERS) if stage.merged else 0)
        for number, stage in enumerate(stages)
    ]


def happening(stages: Sequence[Stage], moment: Moment) -> list[Stage]:
    """Those that have such a moment: some ask nobody, and some answers have no body."""
    if moment == "idle":
        return list(stages)
    asking = [stage for stage in stages if not stage.fresh]
    if moment in ("before", "head"):
        return asking
    return [stage for stage in asking if stage.goods("x").size > 0]


@contextmanager
def ground(
    folder: Path,
    slots: Sequence[Slot],
    judge: Judge,
    *,
    serving: Mapping[str, Setting] | None = None,
    storing: Mapping[str, Setting] | None = None,
    tables: Mapping[str, Mapping[str, Setting]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Ground]:
    """A running server for these slots, with further keys of ``[server]`` and ``[storage]``, and
    more in its environment. It is stopped gracefully."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        proxies = stack.enter_context(Proxies())
        others = proxies.to(origin.port)
        through = {slot.name: proxies.to(origin.port) for slot in slots}
        upstreams = [
            Upstream(f"{form}-{each}", f"http://127.0.0.1:{others.port}/{each}", OLD_AT_ONCE)
            for form in ("maven", "container")
            for each in MEMBERS
        ]
        registries: dict[str, dict[str, Setting]] = {}
        for slot in slots:
            below = f"/{MEMBERS[slot.faulty]}" if slot.stage.merged else ""
            url = f"http://127.0.0.1:{through[slot.name].port}{below}"
            settings = {**HASTY, **(OLD_AT_ONCE if slot.stage.old else {})}
            upstreams.append(Upstream(slot.name, url, settings))
            members = [f"{slot.stage.format}-{each}" for each in MEMBERS]
            listed = members if slot.stage.merged else [""]
            listed[slot.faulty] = slot.name
            registries[slot.name] = {"format": slot.stage.format, "upstreams": listed}
        node = Node(
            folder,
            upstreams,
            settings={"upstreams": [upstreams[0].name]},
            also=registries,
            tables=tables or {},
            environment=environment or {},
            serving=serving or {},
            storing=storing or {},
        )
        node.start()
        stack.callback(node.stop)
        yield Ground(node, origin, {**through, "": others}, judge)


def _stopping(goods: Goods, moment: Moment) -> Fault:
    stall = Fault("stall", on=goods.meant)
    if moment == "before":
        return stall
    if moment == "head":
        return evolve(stall, after=20)
    after = {"first": 1, "middle": goods.size // 2, "last": goods.size - 1}[moment]
    return evolve(stall, after=after, body=True)

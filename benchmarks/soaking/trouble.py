"""What goes wrong in a soak, all the time."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from tests.faults.fault import Fault, Kind
from tests.faults.proxy import Proxy

_KINDS: Sequence[Kind] = ("refuse", "ignore", "cut", "reset", "stall", "slow")


@define(eq=False)
class Troubles:
    """One thread that breaks one of the proxies at a time, for some seconds, and sometimes does one
    of ``other`` things in its place. A seed gives the same troubles each time."""

    proxies: Mapping[str, Proxy]
    other: Mapping[str, Callable[[], None]] = field(factory=dict)
    seed: int = 1
    done: Counter[str] = field(factory=Counter)
    """How often each struck; written by the thread alone."""
    now: str = ""
    failed: BaseException | None = None
    _over: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="troubles")
        self._thread.start()

    def stop(self) -> None:
        """All is well from now on."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        dice = random.Random(self.seed)
        try:
            while not self._over.wait(dice.uniform(0.5, 3)):
                if self.other and dice.random() < 0.15:
                    self.now = dice.choice(sorted(self.other))
                    self.other[self.now]()
                    self.done[self.now] += 1
                else:
                    self._break(dice)
                self.now = ""
        except BaseException as error:  # noqa: BLE001 - told to who waits for the end
            self.failed = error

    def _break(self, dice: random.Random) -> None:
        name = dice.choice(sorted(self.proxies))
        proxy = self.proxies[name]
        fault = _fault(dice)
        self.now = f"{name}: {fault}"
        proxy.inject(fault)
        self._over.wait(dice.uniform(0.5, 5))
        if proxy.struck:
            self.done[f"{name}: {fault.kind}"] += 1
        proxy.heal()


def _fault(dice: random.Random) -> Fault:
    kind = dice.choice(_KINDS)
    after = dice.choice((0, 20, 300, 3_000, 30_000, 300_000))
    side = dice.choice(("answer", "answer", "request"))
    times = dice.choice((None, 1, 5))
    if kind == "slow":
        return Fault("slow", rate=dice.choice((20_000, 200_000, 1_000_000)), times=times)
    if kind in ("refuse", "ignore"):
        return Fault(kind)
    return Fault(kind, after, "request" if side == "request" else "answer", times=times)

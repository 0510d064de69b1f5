"""What breaks, and is mended."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from benchmarks.soaking.site import Site
from tests.faults.fault import Fault
from tests.faults.node import Node
from tests.faults.proxy import Proxy

_FAULTS = (
    Fault("refuse"),
    Fault("ignore"),
    Fault("cut"),
    Fault("cut", 20_000, body=True),
    Fault("reset"),
    Fault("reset", 500_000, body=True),
    Fault("stall"),
    Fault("stall", 100_000, body=True),
    Fault("slow", rate=300_000),
)
"""Of any connection that speaks HTTP."""

_OF_DATABASES = (
    Fault("refuse"),
    Fault("ignore"),
    Fault("cut"),
    Fault("reset", 100),
    Fault("reset", 100, side="request"),
    Fault("stall"),
    Fault("slow", rate=200_000),
)


@define
class Troubles:
    """One thread's. ``spare`` is told whether some process is to live on from now on."""

    site: Site
    chance: random.Random
    spare: bool = False
    done: Counter[str] = field(factory=Counter)
    failed: list[str] = field(factory=list)
    _mend: list[Callable[[], None]] = field(factory=list)

    def strike(self) -> str:
        """Something breaks; its name."""
        deeds: list[tuple[Callable[[], str], int]] = [
            (self._upstream, 5),
            (self._worker, 2),
            (self._purge, 1),
        ]
        if not self.spare or len(self.site.nodes) > 1:
            deeds.append((self._node, 1))
        if self.site.shared is not None:
            deeds += [
                (self._database, 3),
                (self._bucket, 3),
                (self._restart, 2),
                (self._gateway, 1),
            ]
        (deed,) = self.chance.choices([one for one, _ in deeds], [many for _, many in deeds])
        name = deed()
        self.done[name] += 1
        return name

    def mend(self) -> None:
        """All of it."""
        while self._mend:
            self._mend.pop()()

    def _upstream(self) -> str:
        name = self.chance.choice(list(self.site.upstreams))
        return f"{name} {self._inject(self.site.upstreams[name], _FAULTS)}"

    def _database(self) -> str:
        assert self.site.shared is not None
        return f"database {self._inject(self.site.shared.database_proxy, _OF_DATABASES)}"

    def _bucket(self) -> str:
        assert self.site.shared is not None
        return f"bucket {self._inject(self.site.shared.bucket_proxy, _FAULTS)}"

    def _inject(self, proxy: Proxy, faults: Sequence[Fault]) -> Fault:
        fault = self.chance.choice(faults)
        proxy.inject(fault)
        self._mend.append(proxy.heal)
        return fault

    def _worker(self) -> str:
        """The youngest one, of a node that is not spared: there are always others that are old."""
        node = self.site.nodes[-1]
        workers = workers_of(node)
        if len(workers) > 1:
            with suppress(ProcessLookupError):
                os.kill(max(workers) if self.spare else self.chance.choice(workers), signal.SIGKILL)
        return "killed worker"

    def _node(self) -> str:
        node = self.site.nodes[-1]
        node.kill()

        def start() -> None:
            node.start()

        self._mend.append(start)
        return "killed node"

    def _purge(self) -> str:
        name = self.chance.choice(list(self.site.upstreams))
        self.site.run("cache", "purge", "--upstream", name)
        return "purge"

    def _restart(self) -> str:
        assert self.site.shared is not None
        how = self.chance.choice([signal.SIGKILL, signal.SIGQUIT, signal.SIGINT])
        self.site.shared.cluster.stop(how)
        self.chance.random()
        threading.Event().wait(self.chance.random() * 3)
        self.site.shared.cluster.start()
        return f"restarted database ({how.name})"

    def _gateway(self) -> str:
        assert self.site.shared is not None
        self.site.shared.bucket.kill()
        self._mend.append(self.site.shared.bucket.start)
        return "killed bucket"


def workers_of(node: Node) -> list[int]:
    """Its processes that answer."""
    found = []
    for pid in node.pids()[1:]:
        with suppress(OSError):
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found

"""What is done to a cache while it is asked: by its operators, and by fate."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from attrs import define, field

from tests.faults.bucket import Bucket
from tests.faults.node import Node
from tests.faults.truth import Edition
from tests.faults.visitors import Law
from tests.postgres import Cluster
from virtreg.cli.local import Local
from virtreg.errors import Conflict, VirtregError
from virtreg.model import Rule
from virtreg.service.consistency import Consistency
from virtreg.service.leasing import LeaseLost
from virtreg.service.rebuilding import Rebuilding
from virtreg.service.sweeping import Sweeper

RULE = Rule("deny", "group_id", "com.t.g0")
FROZEN = 2.0
"""Seconds for which something stands still."""

YOUNG = 15.0
"""Seconds: what is swept was put longer ago. It takes less to put its entry, whatever breaks."""


@define
class Chaos:
    """One thread's."""

    nodes: Sequence[Node]
    door: Local
    cluster: Cluster
    database: str
    bucket: Bucket
    law: Law
    chance: random.Random
    done: Counter[str] = field(factory=Counter)
    failed: Counter[str] = field(factory=Counter)
    findings: list[str] = field(factory=list)
    """What a check of everything did not like."""
    _left: list[Callable[[], None]] = field(factory=list)
    _rule: tuple[int | None, Edition] | None = None
    """Its number, and since when it is there."""

    def strike(self) -> None:
        """One thing happens. All have happened before the same ones begin again."""
        if not self._left:
            deeds: Sequence[tuple[Callable[[], None], int]] = (
                (self.purge, 4),
                (self.rule, 4),
                (self.clean_up, 2),
                (self.sweep, 2),
                (self.check, 1),
                (self.rebuild, 1),
                (self.kill, 2),
                (self.suspend, 1),
                (self.end_connections, 2),
                (self.freeze_bucket, 1),
            )
            self._left = [deed for deed, times in deeds for _ in range(times)]
            self.chance.shuffle(self._left)
        deed = self._left.pop()
        name = deed.__name__
        try:
            deed()
        except (VirtregError, LeaseLost) as error:
            self.failed[f"{name}: {type(error).__name__}"] += 1
        else:
            self.done[name] += 1

    def purge(self) -> None:
        catalog = self.door.parts.catalog
        begun = time.monotonic()
        if self.chance.random() < 0.5:
            names = {each.name: each.id for each in catalog.registries()}
            catalog.purge_registry(names["kept"])
        else:
            name = self.chance.choice(["kept", "origin", "hub"])
            catalog.purge_upstream(self._upstream(name))
            if name != "kept":
                return
        self.law.purged.append((begun, time.monotonic()))

    def rule(self) -> None:
        """Make the one rule, or remove it."""
        catalog = self.door.parts.catalog
        with self.law.ruling.span():
            if self._rule is None:
                denying = self.law.denied.begin()
                self._rule = catalog.add_rule(self._upstream("bad"), RULE).id, denying
            else:
                number, denying = self._rule
                assert number is not None
                catalog.remove_rule(number)
                self._rule = None
                denying.end()

    def clean_up(self) -> None:
        usage = sum(size for _, size in self.door.parts.index.usage().values())
        self.door.parts.cleaner.evict("default", int(usage * 0.7))

    def sweep(self) -> None:
        parts = self.door.parts
        Sweeper(parts.store, parts.index, time.time).sweep(YOUNG)

    def check(self) -> None:
        """As ``virtreg fsck --deep --repair``."""
        parts = self.door.parts
        consistency = Consistency(parts.index, parts.store, time.time)
        for finding in consistency.check(deep=True, age=YOUNG):
            if consistency.repair(finding) and finding.kind not in ("unreferenced", "uncached"):
                self.findings.append(str(finding))

    def rebuild(self) -> None:
        """The index forgets how far the journal is, as one that was restored, and is made again."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("UPDATE virtreg.journal SET note = ''")
        self.make_again()

    def make_again(self) -> None:
        parts = self.door.parts
        until = time.monotonic() + 20
        while True:
            try:
                rebuilt = Rebuilding(parts.index, parts.store, time.time).run()
            except Conflict:
                if time.monotonic() > until:
                    raise
                threading.Event().wait(0.2)
            else:
                assert rebuilt.damaged == []
                return

    def kill(self) -> None:
        node = self.chance.choice(self.nodes)
        with self.law.faults.span():
            node.kill()
            node.start()

    def suspend(self) -> None:
        """A process stands still, and what it leads is led by others."""
        node = self.chance.choice(self.nodes)
        pids = node.pids()[1:]
        pid = self.chance.choice(pids)
        with self.law.faults.span(), suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            threading.Event().wait(self.chance.choice([FROZEN, FROZEN, 17.0]))
            os.kill(pid, signal.SIGCONT)

    def end_connections(self) -> None:
        with self.law.faults.span(), self.cluster.administer() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'virtreg' AND pid <> pg_backend_pid()"
            )

    def freeze_bucket(self) -> None:
        with self.law.faults.span():
            self.bucket.freeze()
            threading.Event().wait(self.chance.choice([FROZEN, 8.0]))
            self.bucket.thaw()

    def _upstream(self, name: str) -> int:
        """The number of one, by the name that it is declared by."""
        catalog = self.door.parts.catalog
        listed = [
            upstream
            for registry in catalog.registries()
            for _, upstream in catalog.upstreams_of(registry.id)
        ]
        return next(each.id for each in listed if each.name == name)

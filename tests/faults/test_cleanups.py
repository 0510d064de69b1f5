"""A cleanup that is killed, or loses its database or its bucket half-way: the next one does what is
left, what stays is served, and what went is fetched again."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from attrs import define, field

from tests.e2e.processes import until
from tests.e2e.server import Upstream
from tests.faults import bucket as buckets
from tests.faults.fault import Fault
from tests.faults.ground import agree, together
from tests.faults.judging import Judge, Wanted
from tests.faults.node import HASTY, Node
from tests.faults.proxy import Proxies, Proxy
from tests.faults.tally import Tally
from tests.postgres import postgres_cluster
from virtreg.backends.vault import new_key
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

FILES = 60
SIZE = 5_000
ENDS = 60.0
"""Seconds in which a cleanup ends that has lost what it works on."""

LEASED = 60.0
"""Seconds for which the next cleanup waits for one that could not say that it has ended."""


@define(eq=False)
class Cleaned:
    """A running server whose cache is cleaned by processes of their own."""

    node: Node
    origin: Proxy
    """What the upstream is behind."""
    judge: Judge
    wanted: list[Wanted] = field(factory=list)

    def fill(self) -> None:
        agree(together(self.judge.heal, self.wanted))

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "virtreg", *arguments],
            env={**os.environ, **self.node.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def must(self, *arguments: str) -> None:
        with self.run(*arguments) as process:
            said, _ = process.communicate(timeout=ENDS)
        assert process.returncode == 0, said.decode()

    def cleanup(self) -> subprocess.Popen[bytes]:
        return self.run("cleanup", str(self.node.config))

    def _finished(self) -> bool:
        with self.cleanup() as cleanup:
            said, _ = cleanup.communicate(timeout=ENDS)
        # One that could not say that it has ended is waited for.
        assert cleanup.returncode == 0 or b"another cleanup is running" in said, said.decode()
        return cleanup.returncode == 0

    def settle(self) -> None:
        """With all well again: the next cleanup does what is left, and everything is to be had."""
        until(self._finished, "cleanup that finishes", LEASED + ENDS)
        self.fill()

    def check(self) -> None:
        """Nothing is left behind that is not known, and nothing is missing: all that is fetched
        once more is served by a new process, with nobody left to ask."""
        self.must("fsck", str(self.node.config))
        # What a process has ready in memory is served for a moment after another has removed it.
        self._restart()
        self.fill()
        self._restart()
        self.origin.inject(Fault("refuse"))
        asked = together(lambda each: self.judge.ask(each, must=True)[1], self.wanted)
        lost = [complaint for complaint in asked if complaint is not None]
        self.judge.tally.kept(len(asked), len(lost))
        agree(lost)

    def _restart(self) -> None:
        self.node.kill()
        self.node.start()


@contextmanager
def _cleaned(
    folder: Path, judge: Judge, storing: dict[str, str | int], environment: dict[str, str]
) -> Iterator[Cleaned]:
    paths = [f"com/acme/app/{number}/app-{number}.jar" for number in range(FILES)]
    bodies = [b"PK\x03\x04" + random.Random(path).randbytes(SIZE) for path in paths]
    with Origin(dict(zip(paths, bodies, strict=True))) as origin, Proxies() as proxies:
        proxy = proxies.to(origin.port)
        node = Node(
            folder,
            [Upstream("origin", f"http://127.0.0.1:{proxy.port}", HASTY)],
            also={"files": {"format": "maven"}},
            storing=storing,
            environment=environment,
        )
        node.start()
        try:
            one = Cleaned(node, proxy, judge)
            one.wanted = [
                Wanted.of(node.url("files", path), body)
                for path, body in zip(paths, bodies, strict=True)
            ]
            config = str(node.config)
            one.fill()
            one.must("policy", "set", "--config", config, "--keep-bytes", "20kB", "--enabled")
            yield one
        finally:
            node.stop()


def test_a_cleanup_may_be_killed_at_any_moment(tmp_path: Path, tally: Tally) -> None:
    with _cleaned(tmp_path, Judge(tally), {}, {}) as one:
        blobs = one.node.data / "blobs" / "sha256"

        def kept() -> int:
            return sum(1 for path in blobs.rglob("*") if path.is_file())

        def begun(cleanup: subprocess.Popen[bytes], left: int) -> bool:
            return kept() < left or cleanup.poll() is not None

        for left in (FILES, FILES - 1, FILES // 2, 20):
            one.fill()
            with one.cleanup() as cleanup:
                until(partial(begun, cleanup, left), "cleanup")
                cleanup.kill()
            tally.strike("killed cleanup")
            one.settle()
        one.check()


def test_a_cleanup_may_lose_what_it_works_on(tmp_path: Path, tally: Tally) -> None:
    with (
        postgres_cluster() as cluster,
        cluster.database() as name,
        buckets.bucket(tmp_path / "bucket") as bucket,
        Proxies() as proxies,
    ):
        database, store = proxies.to(cluster.port), proxies.to(bucket.port)
        environment = {
            **bucket.environment(store.port),
            "FAULTY_DATABASE": cluster.url(name, database.port),
            "VIRTREG_SECRET_KEYS": new_key().reveal(),
        }
        storing: dict[str, str | int] = {
            "database": "env:FAULTY_DATABASE",
            "url": f"s3://{buckets.NAME}/{secrets.token_hex(4)}",
        }
        with _cleaned(tmp_path / "node", Judge(tally, 40), storing, environment) as one:
            for proxy, component in ((database, "database"), (store, "bucket")):
                for fault in (Fault("refuse"), Fault("stall")):
                    _strike(one, proxy, fault)
                    tally.strike(f"{component} under a cleanup")
                    one.settle()
            one.check()


def _strike(one: Cleaned, proxy: Proxy, fault: Fault) -> None:
    one.fill()
    before = proxy.accepted
    with one.cleanup() as cleanup:
        until(lambda: proxy.accepted > before, "connection of a cleanup")
        proxy.inject(fault)
        try:
            cleanup.communicate(timeout=ENDS)
        finally:
            cleanup.kill()
            proxy.heal()

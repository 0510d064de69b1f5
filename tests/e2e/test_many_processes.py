"""Two nodes of two processes each over one PostgreSQL and one bucket: a big blob that a hundred
cold clients want is downloaded once, and all of them have it whoever of the processes dies."""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import frozen

from tests.e2e.processes import family, until
from tests.e2e.server import Upstream
from tests.faults.bucket import NAME, bucket
from tests.faults.node import Node
from virtreg.model import Secret
from virtreg.testing.gate import Gate
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

CLIENTS = 100
PATH = "com/acme/big/1.0/big-1.0.bin"
BODY = random.Random(6).randbytes(1024 * 1024) * 200
AWAITED = 20
"""Seconds for which a node waits for what another downloads, before it does so itself."""
STALLED = 60 * 1024 * 1024
"""Bytes that have come in when a leader is killed."""


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def nodes(
    origin: Origin, database_url: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sequence[Node]]:
    key = subprocess.run(
        [sys.executable, "-m", "virtreg", "secrets", "key"], capture_output=True, check=True
    )
    monkeypatch.setenv("VIRTREG_SECRET_KEYS", key.stdout.decode().strip())
    monkeypatch.setenv("VIRTREG_DATABASE", database_url.reveal())
    (tmp_path / "bucket").mkdir()
    with bucket(tmp_path / "bucket") as store, ExitStack() as running:
        for name, value in store.environment(store.port).items():
            monkeypatch.setenv(name, value)
        made = []
        for name in ("one", "two"):
            node = Node(
                tmp_path / name,
                [Upstream("origin", origin.url)],
                serving={"workers": 2},
                storing={"database": "env:VIRTREG_DATABASE", "url": f"s3://{NAME}/blobs"},
            )
            node.start()
            running.callback(node.stop)
            made.append(node)
        yield made


@frozen
class Got:
    """What one client has got."""

    right: int
    """Bytes that were as they should be."""
    wrong: bool
    tries: int

    @property
    def whole(self) -> bool:
        return self.right == len(BODY) and not self.wrong


def pull(node: Node) -> Got:
    """As a client that begins anew when its connection breaks."""
    for tries in range(1, 20):
        right = 0
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
        try:
            connection.request("GET", f"/maven/main/{PATH}")
            answer = connection.getresponse()
            if answer.status != 200:
                continue
            while piece := answer.read(256 * 1024):
                if piece != BODY[right : right + len(piece)]:
                    return Got(right, True, tries)
                right += len(piece)
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
        if right == len(BODY):
            return Got(right, False, tries)
    return Got(right, False, tries)


def pull_all(nodes: Sequence[Node], threads: ThreadPoolExecutor) -> Iterator[Got]:
    return threads.map(pull, [nodes[at % len(nodes)] for at in range(CLIENTS)])


def leaders(nodes: Sequence[Node]) -> dict[int, Node]:
    """The processes that write into a spool."""
    found = {}
    for node in nodes:
        alive = set(node.pids())
        for spooled in node.spooled():
            pid = int(spooled.parent.name.partition("-")[0])
            if pid in alive:
                found[pid] = node
    return found


def test_a_hundred_cold_clients_of_four_processes_cost_one_download(
    origin: Origin, nodes: Sequence[Node]
) -> None:
    gate = Gate()
    origin.put(PATH, BODY, hold=gate)
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as threads:
        pulling = pull_all(nodes, threads)
        gate.await_arrival()
        gate.release()
        got = list(pulling)
    assert [each for each in got if not each.whole] == []
    assert {each.tries for each in got} == {1}
    # On a machine that is too busy for it each node has downloaded it once.
    in_time = time.monotonic() - began < AWAITED
    assert origin.count(PATH) <= (1 if in_time else len(nodes))
    assert [list((node.data / "flights").iterdir()) for node in nodes] == [[], []]


def test_when_the_leader_is_killed_everybody_has_the_whole_blob_all_the_same(
    origin: Origin, nodes: Sequence[Node]
) -> None:
    stall = Gate()
    origin.put(PATH, BODY, stall=stall, stall_after=STALLED, only_times=1)
    with ThreadPoolExecutor(CLIENTS) as threads:
        pulling = pull_all(nodes, threads)
        stall.await_arrival()
        until(lambda: len(leaders(nodes)) > 0, "leader")
        (leader,) = leaders(nodes)
        os.kill(leader, signal.SIGKILL)
        stall.release()
        got = list(pulling)
    assert [each for each in got if not each.whole] == []
    # Those of the process that was killed, and of no other.
    assert 0 < sum(each.tries > 1 for each in got) < CLIENTS / len(nodes)
    assert origin.count(PATH) <= 1 + len(nodes)
    for node in nodes:
        assert leader not in family(node.pids()[0])

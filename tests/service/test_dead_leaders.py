"""The process that leads a download is killed: whoever reads with it goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.service.hub import FILE, LARGE, Background, Hub, MakeHub, fake
from virtreg.correlation import CURRENT, Correlation, request_id
from virtreg.errors import IntegrityError
from virtreg.events import Filled
from virtreg.model import Algorithm, Fetch, UpstreamSpec
from virtreg.protocols import Upstream
from virtreg.service.node import Node
from virtreg.service.spool import PIECE
from virtreg.testing.fakes import FakeReply, FakeUpstream

MakeProcess = Callable[..., Hub]

STALLED = 3 * PIECE + 1000
"""Bytes that the leader has when it is killed."""


@pytest.fixture
def make_process(make_hub: MakeHub, tmp_path: Path) -> MakeProcess:
    def make(*upstreams: Upstream, **options: Any) -> Hub:
        return make_hub(*upstreams, others=Node(tmp_path / "flights"), **options)

    return make


@pytest.fixture
def leader(make_hub: MakeHub, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process, in the middle of its download. ``make_hub`` has made the index."""
    command = [sys.executable, "-m", "tests.service.leader", str(tmp_path), str(STALLED)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def test_a_reader_goes_on_where_the_dead_leader_left_it(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_process(a)
    resolved = hub.resolve(FILE)
    with resolved.body as body:
        assert resolved.origin == "joined"
        reading = body.read()
        got = [next(reading)]
        assert a.count(FILE) == 0
        leader.kill()
        got.extend(reading)
        assert b"".join(got) == LARGE
    hub.events.wait(Filled, FILE)
    assert {resolved.proved()[Algorithm.SHA256]} == hub.blobs()
    assert a.count(FILE) == 1


class Called(FakeUpstream):
    """Knows for which request it was asked."""

    def __init__(self) -> None:
        super().__init__(spec=UpstreamSpec("a", "http://a.invalid"))
        self.callers: list[str] = []

    def fetch(self, request: Fetch) -> FakeReply:
        self.callers.append(request_id())
        return super().fetch(request)


def test_the_upstream_is_asked_again_for_the_request_of_the_first_reader(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    a = Called()
    a.put(FILE, LARGE)
    hub = make_process(a)
    before = CURRENT.set(Correlation("build-77"))
    try:
        resolved = hub.resolve(FILE)
    finally:
        CURRENT.reset(before)
    with resolved.body:
        leader.kill()
        resolved.proved()
    hub.events.wait(Filled, FILE)
    assert set(a.callers) == {"build-77"}


def test_readers_of_two_processes_share_one_download_after_the_leader_died(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hubs = [make_process(a) for _ in range(2)]
    bodies = [hub.resolve(FILE).body for hub in hubs for _ in range(5)]
    readings = [body.read() for body in bodies]
    first = [next(reading) for reading in readings]
    leader.kill()
    ends = [Background(partial(b"".join, reading)) for reading in readings]
    wholes = [begin + end.result() for begin, end in zip(first, ends, strict=True)]
    for body in bodies:
        body.close()
    assert wholes == [LARGE] * 10
    assert a.count(FILE) == 1


def test_a_reader_is_told_when_the_file_has_become_another_one(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    a = fake("a")
    a.put(FILE, LARGE[:PIECE] + LARGE[::-1])
    hub = make_process(a)
    with hub.resolve(FILE).body as body:
        assert b"".join(body.read(0, PIECE + 10)) == LARGE[: PIECE + 10]
        reading = body.read()
        got = [next(reading), next(reading)]
        leader.kill()
        with pytest.raises(IntegrityError, match="another one"):
            got.extend(reading)
        assert LARGE.startswith(b"".join(got))


def test_a_range_goes_on_after_the_leader_died(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_process(a)
    with hub.resolve(FILE).body as body:
        reading = body.read(PIECE, len(LARGE) - 5)
        got = [next(reading)]
        leader.kill()
        got.extend(reading)
        assert b"".join(got) == LARGE[PIECE:-5]


def test_who_waits_for_the_end_of_a_file_gets_no_end_of_another_one(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    a = fake("a")
    a.put(FILE, LARGE + b"more")
    hub = make_process(a)
    with hub.resolve(FILE).body as body:
        reading = Background(lambda: b"".join(body.read(len(LARGE) - 10, len(LARGE))))
        leader.kill()
        with pytest.raises(IntegrityError, match="another one"):
            reading.result()


def test_a_request_that_waits_for_a_dead_leader_leads(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    leader.kill()
    leader.wait()
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_process(a)
    assert hub.pull(FILE).body == LARGE
    assert hub.get(FILE).origin == "hit"
    assert list((hub.folder / "flights").iterdir()) == []


def test_a_restarted_node_leads_where_the_whole_of_it_was_killed(
    make_process: MakeProcess, leader: subprocess.Popen[bytes]
) -> None:
    leader.kill()
    leader.wait()
    other = "org/example/b/1.0/b-1.0.bin"
    a = fake("a")
    a.put(other, LARGE)
    hub = make_process(a)
    assert hub.pull(other).body == LARGE
    assert list((hub.folder / "flights").iterdir()) == []

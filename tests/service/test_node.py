"""Several processes of one node, as hubs over one folder: one download, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.service.full_disk import files_up_to
from tests.service.hub import (
    FILE,
    LARGE,
    SMALL,
    VISIBLE,
    Background,
    Got,
    Hub,
    MakeHub,
    fake,
)
from virtreg.errors import IntegrityError
from virtreg.events import Filled, FillFailed
from virtreg.model import Algorithm
from virtreg.protocols import Upstream
from virtreg.service.node import Node
from virtreg.testing.gate import Gate

MakeProcess = Callable[..., Hub]


@pytest.fixture
def make_process(make_hub: MakeHub, tmp_path: Path) -> MakeProcess:
    """Makes hubs that share a node's folder for flights."""

    def make(*upstreams: Upstream, patience: float = 20.0, **options: Any) -> Hub:
        return make_hub(*upstreams, others=Node(tmp_path / "flights", patience=patience), **options)

    return make


def boards(hub: Hub) -> list[str]:
    folder = hub.folder / "flights"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_clients_of_four_processes_cost_one_request_and_get_the_same_bytes(
    make_process: MakeProcess, body: bytes
) -> None:
    gate = Gate()
    a = fake("a")
    a.put(FILE, body, hold=gate)
    hubs = [make_process(a) for _ in range(4)]
    asking = [Background(partial(hub.together, 8, FILE)) for hub in hubs]
    gate.await_arrival()
    gate.release()
    answers = [answer for each in asking for answer in each.result()]
    assert [got.body == body for got in answers if isinstance(got, Got)] == [True] * 32
    assert a.count(FILE) == 1
    for hub in hubs:
        hub.close()
    assert boards(hubs[0]) == []


def test_another_process_reads_what_is_on_its_way_and_nothing_that_is_held_back(
    make_process: MakeProcess,
) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    leader, follower = make_process(a), make_process(a)
    first = leader.resolve(FILE)
    stall.await_arrival()
    resolved = follower.resolve(FILE)
    with first.body, resolved.body:
        assert resolved.origin == "joined"
        assert resolved.representation.size == len(LARGE)
        assert b"".join(resolved.body.read(0, VISIBLE)) == LARGE[:VISIBLE]
        last = Background(lambda: b"".join(resolved.body.read(VISIBLE)))
        assert leader.events.of(Filled) == []
        stall.release()
        assert last.result() == LARGE[VISIBLE:]
        assert resolved.proved()[Algorithm.MD5] == first.proved()[Algorithm.MD5]
    assert follower.get(FILE).origin == "hit"
    assert a.count(FILE) == 1


def test_whoever_comes_to_a_follower_joins_it(make_process: MakeProcess) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    leader, follower = make_process(a), make_process(a)
    with leader.resolve(FILE).body:
        stall.await_arrival()
        with follower.resolve(FILE).body as one, follower.resolve(FILE).body as other:
            assert len(follower.works.flights) == 1
            stall.release()
            assert b"".join(one.read()) == b"".join(other.read(0)) == LARGE


def test_a_body_that_is_wrong_ends_for_everybody_with_the_same_error(
    make_process: MakeProcess,
) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    a.put(f"{FILE}.sha1", b"0" * 40)
    leader, follower = make_process(a), make_process(a)
    with leader.resolve(FILE).body:
        stall.await_arrival()
        resolved = follower.resolve(FILE)
        with resolved.body as body:
            reading = body.read()
            got = [next(reading)]
            stall.release()
            with pytest.raises(IntegrityError, match="sha1") as raised:
                got.extend(reading)
            assert sum(map(len, got)) < len(LARGE)
            assert raised.value.upstream == "a"
            with pytest.raises(IntegrityError):
                resolved.proved()
    leader.events.wait(FillFailed, FILE)
    assert len(follower.works.flights) == 0


def test_a_follower_goes_on_when_the_disk_takes_no_more_of_the_download(
    make_process: MakeProcess,
) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, etag='"1"', cut_after=500_000, stall=stall)
    leader, follower = make_process(a), make_process(a)
    with leader.resolve(FILE).body as first, follower.resolve(FILE).body as second:
        stall.await_arrival()
        pieces = second.read()
        given = next(pieces)
        a.put(FILE, LARGE, etag='"1"')
        with files_up_to(600_000):
            stall.release()
            assert b"".join(first.read()) == LARGE
            assert given + b"".join(pieces) == LARGE
    assert leader.entry(a, FILE) is None


def test_each_process_asks_for_itself_where_another_got_no_answer(
    make_process: MakeProcess,
) -> None:
    gate = Gate()
    a = fake("a")
    a.put(FILE, SMALL, hold=gate)
    a.put(f"{FILE}.sha1", b"0" * 40)
    hubs = [make_process(a) for _ in range(3)]
    asking = [Background(partial(hub.together, 2, FILE)) for hub in hubs]
    gate.await_arrival()
    gate.release()
    answers = [answer for each in asking for answer in each.result()]
    assert [type(answer) for answer in answers] == [IntegrityError] * 6
    assert boards(hubs[0]) == []


def test_a_folder_that_cannot_be_used_costs_a_download_more_and_nothing_else(
    make_hub: MakeHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a, others=Node(tmp_path / "file" / "flights"))
    assert hub.pull(FILE).body == LARGE
    hub.get(FILE)
    assert [record.name for record in caplog.records].count("virtreg.service.node") == 1


def test_what_dead_leaders_left_is_removed(make_process: MakeProcess, tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    folder.mkdir()
    (folder / ("0" * 64)).write_bytes(b"left")
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_process(a)
    assert hub.pull(FILE).body == SMALL
    assert boards(hub) == []


def test_a_range_is_read_out_of_another_process_too(make_process: MakeProcess) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    leader, follower = make_process(a), make_process(a)
    with leader.resolve(FILE).body:
        stall.await_arrival()
        with follower.resolve(FILE).body as body:
            assert b"".join(body.read(1000, 2000)) == LARGE[1000:2000]
            stall.release()
            assert b"".join(body.read(len(LARGE) - 5, len(LARGE))) == LARGE[-5:]


def test_a_leader_that_does_nothing_is_not_waited_for_any_longer(
    make_process: MakeProcess,
) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    b = fake("a")
    b.put(FILE, LARGE)
    leader, follower = make_process(a), make_process(b, patience=0.2)
    with leader.resolve(FILE).body:
        stall.await_arrival()
        got = follower.pull(FILE)
        assert got.body == LARGE
        assert b.count(FILE) == 1
        stall.release()


def test_bytes_that_differ_from_those_of_the_lost_leader_are_never_joined(
    make_process: MakeProcess,
) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    b = fake("a")
    b.put(FILE, LARGE[::-1])
    leader, follower = make_process(a), make_process(b, patience=0.2)
    with leader.resolve(FILE).body:
        stall.await_arrival()
        with follower.resolve(FILE).body as body:
            reading = body.read()
            got = [next(reading)]
            with pytest.raises(IntegrityError, match="another"):
                got.extend(reading)
        assert LARGE.startswith(b"".join(got))
        stall.release()

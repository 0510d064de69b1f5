"""Several nodes over one index: one download in all, while the lease can be had."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.processes import until
from tests.service.hub import FILE, LARGE, SMALL, Background, Got, Hub, MakeHub, fake
from virtreg.backends.index import SqlIndex, open_index
from virtreg.protocols import Upstream
from virtreg.service.flight_leases import SECONDS, FlightLeases, lease_name
from virtreg.service.node import Node
from virtreg.testing.fakes import FakeClock
from virtreg.testing.gate import Gate

MakeNode = Callable[..., Hub]
KEY = ("registry:1", "a/b")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def index(make_hub: MakeHub, tmp_path: Path) -> Iterator[SqlIndex]:
    """What the nodes share; ``make_hub`` has made it."""
    index = open_index(tmp_path / "index")
    yield index
    index.close()


@pytest.fixture
def make_node(make_hub: MakeHub, index: SqlIndex, tmp_path: Path, clock: FakeClock) -> MakeNode:
    """Makes hubs of different nodes."""
    made: list[Hub] = []

    def make(*upstreams: Upstream, patience: float = 20.0) -> Hub:
        leases = FlightLeases(index, clock, patience=patience)
        folder = tmp_path / f"flights-of-{len(made)}"
        made.append(make_hub(*upstreams, others=Node(folder, leases)))
        return made[-1]

    return make


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_clients_of_two_nodes_cost_one_request_in_all(make_node: MakeNode, body: bytes) -> None:
    gate = Gate()
    a = fake("a")
    a.put(FILE, body, hold=gate)
    asking = [Background(partial(make_node(a).together, 8, FILE)) for _ in range(2)]
    gate.await_arrival()
    gate.release()
    answers = [answer for each in asking for answer in each.result()]
    assert [got.body == body for got in answers if isinstance(got, Got)] == [True] * 16
    assert a.count(FILE) == 1


def test_a_node_that_has_waited_long_enough_downloads_for_itself(make_node: MakeNode) -> None:
    stall = Gate()
    a, b = fake("a"), fake("a")
    a.put(FILE, LARGE, stall=stall)
    b.put(FILE, LARGE)
    slow, impatient = make_node(a), make_node(b, patience=0.1)
    with slow.resolve(FILE).body:
        stall.await_arrival()
        assert impatient.pull(FILE).body == LARGE
        assert b.count(FILE) == 1
        stall.release()


@pytest.fixture
def make_leases(index: SqlIndex, clock: FakeClock) -> Iterator[Callable[..., FlightLeases]]:
    with ExitStack() as opened:

        def make(patience: float = 20.0) -> FlightLeases:
            leases = FlightLeases(index, clock, patience=patience)
            opened.callback(leases.close)
            return leases

        yield make


def test_a_lease_is_for_one_and_passes_on_when_its_flight_has_landed(
    make_leases: Callable[..., FlightLeases],
) -> None:
    one, other = make_leases(), make_leases()
    lease = one.take(KEY)
    assert lease is not None
    waiting = Background(lambda: other.take(KEY))
    lease.landed()
    assert waiting.result() is not None


def test_keys_have_leases_of_their_own(make_leases: Callable[..., FlightLeases]) -> None:
    one, other = make_leases(), make_leases()
    assert one.take(KEY) is not None
    assert other.take((*KEY, "c")) is not None


def test_nobody_waits_for_longer_than_said(make_leases: Callable[..., FlightLeases]) -> None:
    one, other = make_leases(), make_leases(patience=0.0)
    assert one.take(KEY) is not None
    assert other.take(KEY) is None


def test_the_lease_of_a_node_that_died_passes_on_when_it_ends(
    make_leases: Callable[..., FlightLeases], index: SqlIndex, clock: FakeClock
) -> None:
    assert index.lease(lease_name(KEY), "dead", clock(), SECONDS)
    assert make_leases(patience=0.0).take(KEY) is None
    clock.advance(SECONDS)
    assert make_leases(patience=0.0).take(KEY) is not None


def test_what_is_held_is_given_back_at_the_end(
    make_leases: Callable[..., FlightLeases],
) -> None:
    one, other = make_leases(), make_leases(patience=0.0)
    assert one.take(KEY) is not None
    one.close()
    assert other.take(KEY) is not None


def test_what_cannot_be_given_back_is_given_back_as_soon_as_it_can_be(
    make_leases: Callable[..., FlightLeases], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = make_leases(), make_leases()
    lease = one.take(KEY)
    assert lease is not None
    with closing(sqlite3.connect(tmp_path / "index" / "index.sqlite")) as connection:
        connection.execute("ALTER TABLE leases RENAME TO hidden")
        lease.landed()
        until(lambda: "are not kept up" in caplog.text, "failure")
        connection.execute("ALTER TABLE hidden RENAME TO leases")
        # The clock stands still: it does not end by itself.
        assert other.take(KEY) is not None


def test_a_database_that_is_away_is_told_once(
    make_leases: Callable[..., FlightLeases], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leases = make_leases()
    lease = leases.take(KEY)
    assert lease is not None
    with closing(sqlite3.connect(tmp_path / "index" / "index.sqlite")) as connection:
        connection.execute("ALTER TABLE leases RENAME TO hidden")
        lease.landed()
        until(lambda: "are not kept up" in caplog.text, "failure")
        # It is tried a last time.
        leases.close()
        connection.execute("ALTER TABLE hidden RENAME TO leases")
    assert len(caplog.messages) == 1


def test_whoever_waits_is_let_go_at_the_end(
    make_leases: Callable[..., FlightLeases],
) -> None:
    one, other = make_leases(), make_leases(patience=1000.0)
    assert one.take(KEY) is not None
    waiting = Background(lambda: other.take(KEY))
    other.close()
    assert waiting.result() is None


def test_without_an_index_nobody_waits(
    make_leases: Callable[..., FlightLeases], index: SqlIndex
) -> None:
    leases = make_leases(patience=1000.0)
    index.close()
    assert leases.take(KEY) is None

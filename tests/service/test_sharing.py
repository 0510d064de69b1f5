"""Many clients, one download."""

from __future__ import annotations

import threading

import pytest

from tests.service.hub import FILE, LARGE, SMALL, VISIBLE, Background, Got, MakeHub, down, fake
from virtreg.errors import IntegrityError, NotFound, UpstreamUnavailable
from virtreg.events import Filled
from virtreg.model import Fetch
from virtreg.service.arrival import Arrival
from virtreg.service.exchange import Exchange
from virtreg.service.flights import Flight
from virtreg.service.health import GuardedUpstream
from virtreg.service.works import Landed
from virtreg.testing.gate import Gate


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_fifty_cold_clients_cost_one_request_and_get_the_same_bytes(
    make_hub: MakeHub, body: bytes
) -> None:
    gate = Gate()
    a = fake("a")
    a.put(FILE, body, hold=gate)
    hub = make_hub(a)
    asking = Background(lambda: hub.together(50, FILE))
    gate.await_arrival()
    gate.release()
    answers = asking.result()
    assert [got.body == body for got in answers if isinstance(got, Got)] == [True] * 50
    assert {got.origin for got in answers} <= {"miss", "joined", "hit"}
    assert a.count(FILE) == 1


def test_fifty_cold_clients_of_an_absent_path_all_hear_so_at_the_price_of_one(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    hub = make_hub(a)
    answers = hub.together(50, FILE)
    assert [type(answer) for answer in answers] == [NotFound] * 50
    assert a.count(FILE) == 1


def test_a_failure_reaches_everybody_who_waits(make_hub: MakeHub) -> None:
    gate = Gate()
    a = fake("a")
    a.put(FILE, SMALL, hold=gate)
    a.fail(down(), FILE)
    hub = make_hub(a)
    asking = Background(lambda: hub.together(10, FILE))
    gate.await_arrival()
    gate.release()
    assert [type(answer) for answer in asking.result()] == [UpstreamUnavailable] * 10
    a.heal()
    assert len(hub.works.flights) == 0
    hub.clock.advance(60)
    assert hub.get(FILE).body == SMALL


def test_followers_get_bytes_while_the_download_is_running(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    hub = make_hub(a)
    leader, follower = hub.resolve(FILE), hub.resolve(FILE)
    with leader.body, follower.body:
        stall.await_arrival()
        assert follower.origin == "joined"
        assert b"".join(follower.body.read(0, VISIBLE)) == LARGE[:VISIBLE]
        assert hub.events.of(Filled) == []
        stall.release()
        assert b"".join(follower.body.read()) == LARGE
        assert b"".join(leader.body.read()) == LARGE
    assert a.count(FILE) == 1


def test_a_client_that_goes_away_does_not_stop_the_download(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    hub = make_hub(a)
    body = hub.resolve(FILE).body
    next(body.read())
    body.close()
    stall.release()
    hub.events.wait(Filled, FILE)
    assert hub.get(FILE).origin == "hit"


def test_a_slow_client_holds_up_neither_the_download_nor_the_others(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a)
    with hub.resolve(FILE).body as slow:
        reading = slow.read()
        first = next(reading)
        hub.events.wait(Filled, FILE)
        assert hub.get(FILE).origin == "hit"
        assert first + b"".join(reading) == LARGE


@pytest.mark.parametrize("honest", [True, False], ids=["published", "failed"])
def test_a_client_that_comes_when_the_download_is_just_over_gets_its_outcome(
    make_hub: MakeHub, honest: bool
) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    a.put(f"{FILE}.sha1", b"" if honest else b"0" * 40)
    hub = make_hub(a)
    route = hub.registry.format.route(FILE)
    upstream = GuardedUpstream(a, hub.clock)
    exchange = Exchange(upstream, route, hub.registry.format, hub.registry.format.expect(route))

    def lead(flight: Flight[Landed]) -> None:
        """As the registry does, except that the leader is slower than the download."""

        def keep(arrival: Arrival) -> None:
            assert arrival.spool is not None
            if arrival.entry.exception() is None:
                hub.works.publisher.now(arrival.entry.result(), arrival.spool.path)
            flight.land()

        arrival = hub.works.intake.receive(exchange, a.fetch(Fetch(FILE)), keep)
        flight.answer(Landed("miss", 0, arrival=arrival))
        for thread in threading.enumerate():
            if thread.name == "virtreg-transfer":
                thread.join(20)

    if honest:
        with hub.works.fly("key", route, lead).body as body:
            assert b"".join(body.read()) == LARGE
    else:
        with pytest.raises(IntegrityError, match="sha1"):
            hub.works.fly("key", route, lead)
    assert a.count(FILE) == 1

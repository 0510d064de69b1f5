"""One flight per key."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service.hub import Background
from virtreg.service.flights import Flight, Flights
from virtreg.testing.gate import Gate


class Bird(Exception):
    """What flights fail with here."""


def test_everybody_gets_what_the_leader_brings_and_only_one_leads() -> None:
    flights: Flights[int] = Flights()
    gate, barrier = Gate(), threading.Barrier(8)

    def lead(flight: Flight[int]) -> None:
        gate.arrive()
        flight.answer(42)

    def join() -> tuple[int, bool]:
        barrier.wait(20)
        return flights.join("key", lead)

    with ThreadPoolExecutor(8) as threads:
        joining = [threads.submit(join) for _ in range(8)]
        gate.await_arrival()
        gate.release()
        answers = [each.result(20) for each in joining]
    assert {result for result, _ in answers} == {42}
    assert sum(led for _, led in answers) == 1


def test_a_flight_is_joined_until_it_lands_and_not_longer() -> None:
    flights: Flights[int] = Flights()
    held: list[Flight[int]] = []

    def lead(flight: Flight[int]) -> None:
        held.append(flight)
        flight.answer(len(held))

    assert flights.join("key", lead) == (1, True)
    assert flights.join("key", lead) == (1, False)
    assert len(flights) == 1
    held[0].land()
    assert len(flights) == 0
    assert flights.join("key", lead) == (2, True)
    held[1].land()


def test_keys_do_not_wait_for_each_other() -> None:
    flights: Flights[str] = Flights()

    def inner(flight: Flight[str]) -> None:
        flight.answer("inner")
        flight.land()

    def outer(flight: Flight[str]) -> None:
        flight.answer("outer over " + flights.join("other", inner)[0])
        flight.land()

    assert flights.join("key", outer) == ("outer over inner", True)


def test_a_failure_reaches_every_waiter_and_frees_the_key() -> None:
    flights: Flights[int] = Flights()
    gate = Gate()

    def failing(flight: Flight[int]) -> None:
        gate.arrive()
        raise Bird

    leader = Background(lambda: flights.join("key", failing))
    gate.await_arrival()
    follower = Background(lambda: flights.join("key", failing))
    gate.release()
    with pytest.raises(Bird):
        leader.result()
    with pytest.raises(Bird):
        follower.result()
    assert len(flights) == 0
    assert flights.join("key", lambda flight: flight.answer(1)) == (1, True)


def test_a_leader_that_fails_after_answering_lands() -> None:
    flights: Flights[int] = Flights()

    def lead(flight: Flight[int]) -> None:
        flight.answer(1)
        raise Bird

    with pytest.raises(Bird):
        flights.join("key", lead)
    assert len(flights) == 0


def test_a_flight_that_lands_twice_leaves_the_next_one_in_the_air() -> None:
    flights: Flights[int] = Flights()
    held: list[Flight[int]] = []

    def lead(flight: Flight[int]) -> None:
        held.append(flight)
        flight.answer(len(held))

    flights.join("key", lead)
    held[0].land()
    flights.join("key", lead)
    held[0].land()
    assert "key" in flights
    held[1].land()
    assert "key" not in flights


def test_whoever_watches_a_flight_is_told_of_its_answer_and_its_end() -> None:
    told: list[object] = []

    class Watcher:
        def answered(self, result: int) -> None:
            told.append(result)

        def landed(self) -> None:
            told.append("landed")

    def lead(flight: Flight[int]) -> None:
        flight.watch(Watcher())
        flight.answer(1)
        flight.land()

    flights: Flights[int] = Flights()
    flights.join("key", lead)
    assert told == [1, "landed"]

"""A server that failed is left alone for a while, and then asked by one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from virtreg.backends.sql.outage import Outage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    return Outage(5.0, clock)


def test_who_asks_is_let_through_until_something_failed(outage: Outage) -> None:
    for _ in range(2):
        with outage.asking() as may, outage.asking() as another:
            assert may
            assert another
    assert outage.began()
    with outage.asking() as may:
        assert not may


def test_after_the_pause_one_asks_at_a_time(outage: Outage, clock: Clock) -> None:
    outage.began()
    clock.now += 4.9
    with outage.asking() as may:
        assert not may
    clock.now += 0.1
    with outage.asking() as may:
        assert may
        with outage.asking() as another:
            assert not another
    with outage.asking() as may:
        assert may


def test_an_answer_lets_all_through_again(outage: Outage, clock: Clock) -> None:
    outage.began()
    clock.now += 5
    with outage.asking() as may:
        assert may
        assert outage.ended()
        with outage.asking() as another:
            assert another
    assert not outage.ended()


def test_another_failure_makes_another_pause(outage: Outage, clock: Clock) -> None:
    assert outage.began()
    clock.now += 5
    with outage.asking() as may:
        assert may
        assert not outage.began()
    clock.now += 4.9
    with outage.asking() as may:
        assert not may


def test_who_asked_and_was_broken_off_keeps_nobody_out(outage: Outage, clock: Clock) -> None:
    outage.began()
    clock.now += 5
    with pytest.raises(KeyError), outage.asking():
        raise KeyError
    with outage.asking() as may:
        assert may


def test_one_thread_of_many_asks(outage: Outage, clock: Clock) -> None:
    outage.began()
    clock.now += 5
    start, end = Barrier(8), Barrier(8)

    def ask(_: int) -> bool:
        start.wait()
        with outage.asking() as may:
            end.wait()
            return may

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 1

"""The circuit breaker."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from virtreg.core.breaker import Breaker


def opened(breaker: Breaker, now: float) -> Breaker:
    for _ in range(breaker.threshold):
        breaker.failed(now)
    return breaker


def test_it_opens_after_the_threshold_of_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(0)
    assert breaker.admit(0)
    breaker.failed(0)
    assert not breaker.admit(0)
    assert breaker.blocked_until(0) == 5


def test_a_success_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(0)
    breaker.succeeded(0)
    for _ in range(4):
        breaker.failed(0)
    assert breaker.admit(0)


def test_one_trial_passes_at_a_time_when_the_cooldown_is_over() -> None:
    breaker = opened(Breaker(), 0)
    assert not breaker.admit(4.9)
    assert breaker.admit(5)
    assert not breaker.admit(5)
    assert breaker.blocked_until(5) == 10


def test_a_good_trial_closes_it() -> None:
    breaker = opened(Breaker(), 0)
    assert breaker.admit(5)
    breaker.succeeded(6)
    assert breaker.blocked_until(6) is None
    assert [breaker.admit(6), breaker.admit(6)] == [True, True]


def test_bad_trials_double_the_cooldown_up_to_the_cap() -> None:
    breaker = opened(Breaker(), 0)
    now, pauses = 0.0, []
    for _ in range(6):
        until = breaker.blocked_until(now)
        assert until is not None
        pauses.append(until - now)
        now = until
        assert breaker.admit(now)
        breaker.failed(now)
    assert pauses == [5, 10, 20, 40, 60, 60]


def test_closing_forgets_the_grown_cooldown() -> None:
    breaker = opened(Breaker(), 0)
    assert breaker.admit(5)
    breaker.failed(5)
    assert breaker.admit(15)
    breaker.succeeded(15)
    opened(breaker, 20)
    assert breaker.blocked_until(20) == 25


def test_a_trial_nobody_reports_is_given_up() -> None:
    breaker = opened(Breaker(), 0)
    assert breaker.admit(5)
    assert not breaker.admit(64.9)
    assert breaker.admit(65)


def test_a_throttle_opens_at_once_until_the_stated_time() -> None:
    breaker = Breaker()
    breaker.throttled(0, 30)
    assert breaker.blocked_until(0) == 30
    assert breaker.admit(30)
    assert not breaker.admit(30)


@pytest.mark.parametrize(("asked", "granted"), [(10**9, 300), (300, 300), (7.5, 7.5)])
def test_a_throttle_is_capped(asked: float, granted: float) -> None:
    breaker = Breaker()
    breaker.throttled(100, asked)
    assert breaker.blocked_until(100) == 100 + granted


def test_a_throttle_without_a_time_pauses_for_the_cooldown() -> None:
    breaker = Breaker()
    breaker.throttled(0, None)
    assert breaker.blocked_until(0) == 5


def test_late_outcomes_do_not_disturb_an_open_breaker() -> None:
    breaker = Breaker()
    breaker.throttled(0, 30)
    breaker.succeeded(1)
    breaker.failed(2)
    breaker.throttled(3, 1)
    breaker.throttled(4, None)
    assert breaker.blocked_until(5) == 30


class Life(RuleBasedStateMachine):
    """Any sequence of requests and outcomes, against what must always hold."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = 0.0
        self.in_flight = 0
        self.throttled_until = 0.0

    @rule(seconds=st.floats(0.01, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_request_asks(self) -> None:
        expected = self.breaker.blocked_until(self.now) is None
        assert self.breaker.admit(self.now) is expected
        if expected:
            assert self.now >= self.throttled_until
            self.in_flight += 1

    @precondition(lambda self: self.in_flight > 0)
    @rule()
    def it_succeeds(self) -> None:
        self.in_flight -= 1
        self.breaker.succeeded(self.now)

    @precondition(lambda self: self.in_flight > 0)
    @rule()
    def it_fails(self) -> None:
        self.in_flight -= 1
        self.breaker.failed(self.now)

    @precondition(lambda self: self.in_flight > 0)
    @rule(seconds=st.none() | st.floats(0, 1000))
    def it_is_throttled(self, seconds: float | None) -> None:
        self.in_flight -= 1
        self.breaker.throttled(self.now, seconds)
        if seconds is not None:
            self.throttled_until = max(self.throttled_until, self.now + min(seconds, 300))

    @invariant()
    def a_block_always_ends(self) -> None:
        until = self.breaker.blocked_until(self.now)
        if until is not None:
            assert self.now < until <= self.now + 300
            assert self.breaker.blocked_until(self.now + 360) is None


TestLife = Life.TestCase

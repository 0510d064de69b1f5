"""Leaky buckets: what fits, how long to wait, and what many keys cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.ratelimit import Buckets, Rate

RATES = st.builds(Rate, st.integers(1, 50), st.floats(0.01, 1000))
STEPS = st.lists(st.floats(0, 30), max_size=80)
CLOCKS = st.lists(st.floats(-1e6, 2e9), min_size=1, max_size=60)


def test_as_many_as_stated_fit_at_once_and_no_more() -> None:
    buckets = Buckets(Rate(1000, 15))
    assert [buckets.take("a", 7.5) for _ in range(1000)] == [0.0] * 1000
    assert buckets.take("a", 7.5) == pytest.approx(0.015)
    assert buckets.take("b", 7.5) == 0


def test_the_rest_is_spread_evenly() -> None:
    buckets = Buckets(Rate(20, 60))
    for _ in range(20):
        assert buckets.take("a", 0) == 0
    admitted = [now for now in range(1, 61) if buckets.take("a", float(now)) == 0]
    assert admitted == list(range(3, 61, 3))


@given(RATES, st.floats(0, 2e9), STEPS)
def test_no_interval_has_more_than_the_rate_allows(
    rate: Rate, start: float, steps: list[float]
) -> None:
    buckets = Buckets(rate)
    admitted: list[float] = []
    now = start
    for step in steps:
        now += step
        if buckets.take("a", now) == 0:
            admitted.append(now)
    for first, begin in enumerate(admitted):
        for last in range(first, len(admitted)):
            length = admitted[last] - begin
            assert last - first + 1 <= rate.events * (1 + length / rate.seconds) + 1e-3


@given(RATES, STEPS)
def test_whoever_waits_as_told_is_let_in(rate: Rate, steps: list[float]) -> None:
    buckets = Buckets(rate)
    now = 0.0
    for step in steps:
        now += step
        wait = buckets.take("a", now)
        if wait:
            now += wait
            assert buckets.take("a", now) == 0


@given(RATES, CLOCKS)
def test_no_clock_keeps_anybody_out_for_longer_than_one_event_takes(
    rate: Rate, clock: list[float]
) -> None:
    buckets = Buckets(rate)
    for now in clock:
        buckets.spend("a", now)
        assert buckets.wait("a", now) <= rate.seconds / rate.events * 1.0001


@given(st.lists(st.sampled_from("abcdef"), max_size=60), st.integers(1, 4))
def test_the_table_is_bounded_and_keeps_who_came_last(keys: list[str], most: int) -> None:
    buckets = Buckets(Rate(2, 1000), most)
    for key in keys:
        buckets.spend(key, 0)
        assert len(buckets) <= most
    recent = list(dict.fromkeys(reversed(keys)))[:most]
    assert {key for key in "abcdef" if buckets.level(key, 0)} == set(recent)


def test_others_fill_nobodys_bucket() -> None:
    buckets = Buckets(Rate(1, 1000), most=2)
    assert buckets.take("a", 0) == 0
    for key in ("b", "c", "d"):
        assert buckets.take(key, 0) == 0
    assert buckets.take("a", 0) == 0


def test_asking_counts_nothing() -> None:
    buckets = Buckets(Rate(1, 1))
    assert [buckets.wait("a", 0) for _ in range(5)] == [0.0] * 5
    assert buckets.level("a", 0) == len(buckets) == 0


@pytest.mark.parametrize(("events", "seconds"), [(0, 1), (-1, 1), (1, 0), (1, -1)])
def test_a_rate_of_nothing_is_refused(events: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="a rate has"):
        Rate(events, seconds)


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_a_rate_without_end_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        Rate(1, seconds)

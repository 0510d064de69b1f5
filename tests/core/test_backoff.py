"""Waiting times."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.backoff import backoff_delay, parse_retry_after

NOW = 1_700_000_000.0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_negative_and_never_above_the_cap(attempt: int, jitter: float) -> None:
    assert 0 <= backoff_delay(attempt, jitter, base=0.5, cap=8) < 8


def test_the_ceiling_doubles_with_each_attempt_up_to_the_cap() -> None:
    ceilings = [2 * backoff_delay(attempt, 0.5, base=1, cap=5) for attempt in range(5)]
    assert ceilings == [1, 2, 4, 5, 5]


def test_the_jitter_spreads_over_the_whole_range() -> None:
    assert backoff_delay(3, 0.0, base=1) == 0
    assert backoff_delay(3, 0.25, base=1) == 2


@given(st.integers(0, 10**40))
def test_retry_after_in_seconds_is_capped(seconds: int) -> None:
    assert parse_retry_after(str(seconds), NOW, cap=300) == min(seconds, 300)


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_a_date_is_relative_to_now(offset: int) -> None:
    value = formatdate(NOW + offset, usegmt=True)
    assert parse_retry_after(value, NOW) == min(300, max(0, offset))


@pytest.mark.parametrize("value", ["", " ", "-1", "+5", "1.5", "1e3", "soon", "٣", "5 s", "1_0"])
def test_a_malformed_retry_after_is_no_value(value: str) -> None:
    assert parse_retry_after(value, NOW) is None

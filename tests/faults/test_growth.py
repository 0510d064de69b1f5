"""What grows is told from what jumps, or has settled."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soaking.growth import growth, slope

TIMES = [float(second) for second in range(200)]


def test_a_line_has_its_own_slope() -> None:
    assert slope(TIMES, [3 * time + 7 for time in TIMES]) == pytest.approx(3)
    assert growth(TIMES, [3 * time + 7 for time in TIMES]) == pytest.approx(3 * 199)


def test_jumps_do_not_look_like_growth() -> None:
    dice = random.Random(1)
    values = [100.0 + (50 if dice.random() < 0.2 else 0) for _ in TIMES]
    assert growth(TIMES, values) == pytest.approx(0, abs=1)


def test_growth_is_seen_through_jumps() -> None:
    dice = random.Random(2)
    values = [100 + time / 2 + (50 if dice.random() < 0.2 else 0) for time in TIMES]
    assert growth(TIMES, values) == pytest.approx(100, rel=0.1)


def test_what_has_settled_has_not_grown() -> None:
    assert growth(TIMES, [min(time, 60.0) for time in TIMES]) == pytest.approx(0)


def test_what_grows_in_the_end_alone_has_grown() -> None:
    assert growth(TIMES, [max(0.0, time - 20) for time in TIMES]) > 150


@given(st.lists(st.floats(-1e6, 1e6), max_size=30), st.floats(-1e6, 1e6))
def test_what_is_added_to_all_changes_no_growth(values: list[float], more: float) -> None:
    times = [float(second) for second in range(len(values))]
    moved = [value + more for value in values]
    assert growth(times, moved) == pytest.approx(growth(times, values), abs=1e-3)

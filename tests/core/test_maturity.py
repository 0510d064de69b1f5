from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.maturity import immaturity

RELEASED = 1_700_000_000
DATE = formatdate(RELEASED, usegmt=True)
HOUR = 3600


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (3 * HOUR, "released 3 h ago; taken from 2023-11-15T22:13:20Z"),
        (90, "released 2 min ago; taken from 2023-11-15T22:13:20Z"),
        (-90, "dated in the future; taken from 2023-11-15T22:13:20Z"),
        (24 * HOUR - 1, "released 24 h ago; taken from 2023-11-15T22:13:20Z"),
        (24 * HOUR, None),
        (48 * HOUR, None),
    ],
)
def test_a_release_is_taken_from_its_age_on(age: float, told: str | None) -> None:
    assert immaturity(DATE, 24, RELEASED + age) == told


@pytest.mark.parametrize("date", [None, "", "yesterday", "2023-11-14"])
def test_a_release_without_a_date_is_never_taken(date: str | None) -> None:
    told = "not dated by the upstream, which takes a minimum release age"
    assert immaturity(date, 0.1, RELEASED) == told


@given(st.floats(0, 1e300), st.floats(0, 1e11))
def test_any_age_and_any_moment_can_be_told(hours: float, now: float) -> None:
    assert (immaturity(DATE, hours, now) is None) == (now >= RELEASED + hours * HOUR)

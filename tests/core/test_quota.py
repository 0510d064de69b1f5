"""Quotas as upstreams tell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.quota import parse_quota
from virtreg.model import Quota

COUNTS = st.integers(0, 10**12 - 1)


@given(COUNTS, COUNTS, COUNTS)
def test_every_number_is_read_as_written(limit: int, remaining: int, window: int) -> None:
    headers = {
        "ratelimit-limit": f"{limit};w={window}",
        "ratelimit-remaining": f"{remaining};w={window}",
    }
    assert parse_quota(headers) == Quota(limit, remaining, window)


@given(st.text(), st.text())
def test_no_text_breaks_the_reader(limit: str, remaining: str) -> None:
    quota = parse_quota({"ratelimit-limit": limit, "ratelimit-remaining": remaining})
    assert quota is None or (quota.limit, quota.remaining) != (None, None)


@pytest.mark.parametrize(
    ("limit", "remaining", "quota"),
    [
        ("100;w=21600", None, Quota(100, None, 21600)),
        (None, "99 ; W = 60", Quota(None, 99, 60)),
        ("100", "7", Quota(100, 7, None)),
        ("100;q=1;w=5, 10;w=1", "7;w=9", Quota(100, 7, 5)),
        ("many", "7", Quota(None, 7, None)),
        ("-1", "", None),
        (None, None, None),
        ("1e3", "0x1", None),
    ],
)
def test_what_cannot_be_read_is_not_there(
    limit: str | None, remaining: str | None, quota: Quota | None
) -> None:
    told = {"ratelimit-limit": limit, "ratelimit-remaining": remaining}
    headers = {name: value for name, value in told.items() if value is not None}
    assert parse_quota(headers) == quota

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from virtreg.core.freshness import (
    UNVOUCHED,
    fresh_until,
    is_fresh,
    merged_fresh_until,
    merged_is_fresh,
)
from virtreg.model import Entry, Freshness, UpstreamSpec

hours = st.integers(0, 10_000).map(float) | st.sampled_from([0.25, 0.5, 1.5])
times = st.integers(0, 4_000_000_000).map(float)
kinds = st.sampled_from(list(Freshness))


def entry(checked_at: float) -> Entry:
    return Entry(
        source="s",
        path="a/b",
        sha256="0" * 64,
        size=1,
        sha1="0" * 40,
        md5="0" * 32,
        sha512="0" * 128,
        content_type=None,
        etag=None,
        last_modified=None,
        created_at=checked_at,
        checked_at=checked_at,
    )


def spec(artifacts: float = 24, metadata: float = 24) -> UpstreamSpec:
    return UpstreamSpec(
        name="central",
        url="http://upstream.test/",
        cache_validity_hours=artifacts,
        metadata_cache_validity_hours=metadata,
    )


def test_each_kind_follows_its_own_setting() -> None:
    upstream = spec(artifacts=2, metadata=3)
    assert fresh_until(entry(1000), Freshness.ARTIFACT, upstream) == 1000 + 2 * 3600
    assert fresh_until(entry(1000), Freshness.METADATA, upstream) == 1000 + 3 * 3600
    assert fresh_until(entry(1000), Freshness.IMMUTABLE, upstream) == math.inf


def test_zero_turns_checks_off_for_artifacts_only() -> None:
    upstream = spec(artifacts=0, metadata=0)
    assert fresh_until(entry(1000), Freshness.ARTIFACT, upstream) == math.inf
    assert fresh_until(entry(1000), Freshness.METADATA, upstream) == 1000
    assert not is_fresh(entry(1000), Freshness.METADATA, upstream, 1000)


def test_an_entry_is_stale_at_the_end_of_its_validity() -> None:
    upstream = spec(artifacts=1)
    assert is_fresh(entry(0), Freshness.ARTIFACT, upstream, 3599.9)
    assert not is_fresh(entry(0), Freshness.ARTIFACT, upstream, 3600)


def test_a_check_dated_in_the_future_is_believed_for_one_validity_only() -> None:
    upstream = spec(artifacts=1)
    assert is_fresh(entry(3600), Freshness.ARTIFACT, upstream, 0)
    assert not is_fresh(entry(3601), Freshness.ARTIFACT, upstream, 0)
    assert merged_is_fresh(entry(3600), Freshness.METADATA, [spec(metadata=1)], 0)
    assert not merged_is_fresh(entry(3601), Freshness.METADATA, [spec(metadata=1)], 0)


@given(kinds, hours, hours, times)
def test_what_is_to_be_asked_for_again_is_not_fresh(
    kind: Freshness, artifacts: float, metadata: float, now: float
) -> None:
    upstream = spec(artifacts, metadata)
    assert not is_fresh(entry(UNVOUCHED), kind, upstream, now)
    assert fresh_until(entry(UNVOUCHED), kind, upstream) < 0
    assert not merged_is_fresh(entry(UNVOUCHED), kind, [upstream], now)
    assert merged_fresh_until(entry(UNVOUCHED), kind, [upstream]) < 0


@given(times, kinds, hours, hours, times)
def test_nothing_is_fresh_past_its_end(
    checked_at: float, kind: Freshness, artifacts: float, metadata: float, now: float
) -> None:
    upstream = spec(artifacts, metadata)
    until = fresh_until(entry(checked_at), kind, upstream)
    assert until >= checked_at
    if now >= until:
        assert not is_fresh(entry(checked_at), kind, upstream, now)
    elif now >= checked_at:
        assert is_fresh(entry(checked_at), kind, upstream, now)


@given(times, kinds, hours, times, times)
def test_at_no_clock_is_an_entry_fresh_for_longer_than_two_validities(
    checked_at: float, kind: Freshness, validity: float, one: float, other: float
) -> None:
    assume(validity > 0)
    assume(kind is not Freshness.IMMUTABLE)
    upstream = spec(validity, validity)
    if all(is_fresh(entry(checked_at), kind, upstream, now) for now in (one, other)):
        assert abs(one - other) < 2 * validity * 3600


@given(times, kinds, times)
def test_what_is_never_checked_is_fresh_by_any_clock(
    checked_at: float, kind: Freshness, now: float
) -> None:
    assume(kind in (Freshness.ARTIFACT, Freshness.IMMUTABLE))
    assert is_fresh(entry(checked_at), kind, spec(artifacts=0), now)


@given(times, kinds, st.lists(st.tuples(hours, hours), min_size=1), times)
def test_a_merged_document_lives_as_long_as_its_shortest_member(
    checked_at: float, kind: Freshness, members: list[tuple[float, float]], now: float
) -> None:
    specs = [spec(*each) for each in members]
    ends = [fresh_until(entry(checked_at), kind, member) for member in specs]
    assert merged_fresh_until(entry(checked_at), kind, specs) == min(ends)
    assert merged_is_fresh(entry(checked_at), kind, specs, now) == all(
        is_fresh(entry(checked_at), kind, member, now) for member in specs
    )


@pytest.mark.parametrize(
    ("hours", "seconds"), [(24, 300), (0.25, 300), (300 / 3600, 300), (0.05, 180), (0, 0)]
)
def test_a_listing_lives_as_metadata_does_but_five_minutes_at_most(
    hours: float, seconds: float
) -> None:
    upstream = spec(artifacts=0, metadata=hours)
    assert fresh_until(entry(1000), Freshness.LISTING, upstream) == 1000 + seconds


def test_a_merged_document_has_members() -> None:
    with pytest.raises(ValueError, match="empty"):
        merged_fresh_until(entry(0), Freshness.METADATA, [])

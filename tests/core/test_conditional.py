from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.conditional import (
    Conditions,
    Decision,
    Full,
    NotModified,
    Partial,
    PreconditionFailed,
    Unsatisfiable,
    decide,
)

TAG = '"sha256:aa"'
OTHER = '"sha256:bb"'
OLD = "Sun, 06 Nov 1994 08:49:36 GMT"
NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
NOW_RFC850 = "Sunday, 06-Nov-94 08:49:37 GMT"
NEW = "Sun, 06 Nov 1994 08:49:38 GMT"
NO_DATE = "yesterday"


def answer(
    method: str = "GET",
    *,
    etag: str | None = TAG,
    last_modified: str | None = NOW,
    size: int | None = 100,
    **headers: str,
) -> Decision:
    return decide(Conditions(method, **headers), etag=etag, last_modified=last_modified, size=size)


def test_a_request_without_conditions_gets_the_whole_body() -> None:
    assert answer() == Full()
    assert answer("HEAD", size=None, etag=None, last_modified=None) == Full()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (TAG, Full()),
        ("*", Full()),
        (f"{OTHER}, {TAG}", Full()),
        (OTHER, PreconditionFailed()),
        (f"W/{TAG}", PreconditionFailed()),
        ("sha256:aa", PreconditionFailed()),
    ],
)
def test_if_match_compares_strongly(header: str, expected: Decision) -> None:
    assert answer(if_match=header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (TAG, NotModified()),
        (f"W/{TAG}", NotModified()),
        ("*", NotModified()),
        (f"{OTHER}, {TAG}", NotModified()),
        (OTHER, Full()),
        ("sha256:aa", Full()),
    ],
)
def test_if_none_match_compares_weakly(header: str, expected: Decision) -> None:
    assert answer(if_none_match=header) == expected
    assert answer("HEAD", if_none_match=header) == expected


def test_if_none_match_fails_other_methods() -> None:
    assert answer("PUT", if_none_match="*") == PreconditionFailed()


@pytest.mark.parametrize(
    ("date", "since", "unmodified"),
    [
        (OLD, Full(), PreconditionFailed()),
        (NOW, NotModified(), Full()),
        (NOW_RFC850, NotModified(), Full()),
        (NEW, NotModified(), Full()),
        (NO_DATE, Full(), Full()),
    ],
)
def test_dates_are_compared_with_last_modified(
    date: str, since: Decision, unmodified: Decision
) -> None:
    assert answer(if_modified_since=date) == since
    assert answer(if_unmodified_since=date) == unmodified


@pytest.mark.parametrize("last_modified", [None, NO_DATE])
def test_dates_are_ignored_when_the_body_has_none(last_modified: str | None) -> None:
    assert answer(if_modified_since=NEW, last_modified=last_modified) == Full()
    assert answer(if_unmodified_since=OLD, last_modified=last_modified) == Full()


def test_if_modified_since_is_for_reading_only() -> None:
    assert answer("PUT", if_modified_since=NEW) == Full()


def test_tags_take_precedence_over_dates() -> None:
    assert answer(if_match=TAG, if_unmodified_since=OLD) == Full()
    assert answer(if_none_match=OTHER, if_modified_since=NEW) == Full()
    assert answer(if_none_match="malformed", if_modified_since=NEW) == Full()


def test_a_failed_precondition_comes_before_not_modified() -> None:
    assert answer(if_match=OTHER, if_none_match=TAG) == PreconditionFailed()
    assert answer(if_unmodified_since=OLD, if_none_match=TAG) == PreconditionFailed()


def test_not_modified_comes_before_ranges() -> None:
    assert answer(if_none_match=TAG, range="bytes=500-") == NotModified()
    assert answer(if_match=OTHER, range="bytes=500-") == PreconditionFailed()


def test_ranges_of_a_get() -> None:
    assert answer(range="bytes=10-19") == Partial(((10, 20),))
    assert answer(range="bytes=90-,0-9") == Partial(((90, 100), (0, 10)))
    assert answer(range="bytes=500-0") == Unsatisfiable()
    assert answer(range="bytes=100-") == Unsatisfiable()
    assert answer(range="bytes=a-b") == Full()
    assert answer(if_match=TAG, if_none_match=OTHER, range="bytes=0-0") == Partial(((0, 1),))


def test_ranges_are_ignored_outside_get() -> None:
    assert answer("HEAD", range="bytes=10-19") == Full()
    assert answer("HEAD", range="bytes=500-") == Full()


def test_ranges_wait_for_the_size() -> None:
    assert answer(range="bytes=10-19", size=None) == Full()
    assert answer(range="bytes=500-0", size=None) == Full()


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        (TAG, True),
        (f" {TAG}", True),
        (OTHER, False),
        (f"W/{TAG}", False),
        (f"{TAG}, {OTHER}", False),
        ("*", False),
        (NOW, True),
        (NOW_RFC850, True),
        (OLD, False),
        (NEW, False),
        (NO_DATE, False),
    ],
)
def test_if_range_needs_exactly_this_body(header: str, holds: bool) -> None:
    expected = Partial(((10, 20),)) if holds else Full()
    assert answer(if_range=header, range="bytes=10-19") == expected


def test_if_range_alone_means_nothing() -> None:
    assert answer(if_range=OTHER) == Full()


def test_an_outdated_if_range_spares_the_client_a_416() -> None:
    assert answer(if_range=OTHER, range="bytes=500-") == Full()


def test_a_date_cannot_hold_if_range_when_the_body_has_none() -> None:
    assert answer(if_range=NO_DATE, range="bytes=10-19", last_modified=NO_DATE) == Full()


def test_no_tag_matches_a_body_that_is_not_proved_yet() -> None:
    assert answer(etag=None, if_none_match=TAG) == Full()
    assert answer(etag=None, if_match=TAG) == PreconditionFailed()
    assert answer(etag=None, if_range=TAG, range="bytes=0-1") == Full()
    assert answer(etag=None, if_range=NOW, range="bytes=0-1") == Full()
    assert answer(etag=None, range="bytes=0-1") == Partial(((0, 2),))


def test_a_weak_tag_of_ours_serves_caches_and_nothing_else() -> None:
    weak = f"W/{TAG}"
    assert answer(etag=weak, if_none_match=TAG) == NotModified()
    assert answer(etag=weak, if_match=weak) == PreconditionFailed()
    assert answer(etag=weak, if_range=weak, range="bytes=0-1") == Full()


fields = (
    st.none()
    | st.text()
    | st.sampled_from(
        ["*", TAG, OTHER, f"W/{TAG}", OLD, NOW, NEW, "bytes=0-", "bytes=-5,0-1", "bytes=9-1"]
    )
)


@given(
    st.builds(
        Conditions,
        method=st.sampled_from(["GET", "HEAD", "PUT"]),
        if_match=fields,
        if_none_match=fields,
        if_modified_since=fields,
        if_unmodified_since=fields,
        if_range=fields,
        range=fields,
    ),
    st.sampled_from([None, TAG, f"W/{TAG}"]),
    st.sampled_from([None, OLD, NOW, NO_DATE]),
    st.none() | st.integers(0, 100),
)
def test_every_answer_is_justified_by_the_request(
    conditions: Conditions, etag: str | None, last_modified: str | None, size: int | None
) -> None:
    decision = decide(conditions, etag=etag, last_modified=last_modified, size=size)
    match decision:
        case Partial(ranges):
            assert size is not None
            assert conditions.method == "GET"
            assert ranges
            assert all(0 <= start < stop <= size for start, stop in ranges)
        case Unsatisfiable():
            assert size is not None
            assert conditions.method == "GET"
            assert conditions.range is not None
        case NotModified():
            assert conditions.method in ("GET", "HEAD")
            assert conditions.if_none_match is not None or conditions.if_modified_since is not None
        case PreconditionFailed():
            assert (conditions.if_match, conditions.if_unmodified_since) != (None, None) or (
                conditions.method == "PUT" and conditions.if_none_match is not None
            )
        case Full():
            assert conditions.if_match is None or etag is not None or "*" in conditions.if_match

"""When cleanup policies run and what is remembered of it; whether a group keeps one body more."""

from __future__ import annotations

from typing import Literal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core import policies
from virtreg.core.capacity import MOST_RESERVED, evicted_to, is_to_evict, keeps, reserve_of
from virtreg.managed import CADENCES, CleanupPolicy, GroupSettings, Reclaimed

POLICY = CleanupPolicy("team", 0.0, 0.0, enabled=True, next_run_at=1000.0)


@pytest.mark.parametrize(
    ("policy", "due"),
    [
        (POLICY, True),
        (evolve(POLICY, next_run_at=1000.1), False),
        (evolve(POLICY, next_run_at=None), True),
        (evolve(POLICY, enabled=False), False),
        (evolve(POLICY, status="failed"), True),
        (evolve(POLICY, status="running", next_run_at=9000.0), True),
        (evolve(POLICY, status="running", enabled=False), False),
    ],
)
def test_a_policy_is_due_when_its_time_has_come_or_a_run_was_cut_short(
    policy: CleanupPolicy, due: bool
) -> None:
    assert policies.is_due(policy, 1000.0) is due


FORMATS = st.dictionaries(
    st.sampled_from(["maven", "container"]),
    st.builds(Reclaimed, st.integers(0, 2**40), st.integers(0, 2**60)),
)


@given(
    cadence=st.sampled_from(CADENCES),
    now=st.floats(0, 2e9),
    by_format=FORMATS,
    message=st.text(max_size=400),
)
def test_after_a_run_the_next_one_is_a_cadence_away_however_it_ended(
    cadence: int, now: float, by_format: dict[str, Reclaimed], message: str
) -> None:
    before = policies.started(evolve(POLICY, cadence=cadence))
    assert before.status == "running"
    finished = policies.finished(before, now, by_format)
    failed = policies.failed(before, now, by_format, message)
    assert (finished.status, finished.failure_message) == ("scheduled", None)
    assert (failed.status, failed.failure_message) == ("failed", message[:255])
    for after in (finished, failed):
        assert after.next_run_at == now + cadence * policies.DAY
        assert not policies.is_due(after, now)
        assert dict(after.last_run_by_format) == by_format
        assert after.last_run.size == sum(each.size for each in by_format.values())
        assert after.last_run.entries == sum(each.entries for each in by_format.values())


def test_a_run_that_was_stopped_goes_on_when_it_would_have_begun() -> None:
    assert policies.stopped(policies.started(POLICY)) == POLICY


@given(
    quota=st.none() | st.integers(0, 10_000),
    when_full=st.sampled_from(["evict", "stream"]),
    sizes=st.lists(st.integers(0, 2_000), max_size=40),
)
def test_streaming_never_exceeds_the_quota_and_evicting_always_returns_below_it(
    quota: int | None, when_full: Literal["evict", "stream"], sizes: list[int]
) -> None:
    settings = GroupSettings("team", quota, when_full)
    used = 0
    for size in sizes:
        if not keeps(settings, used, size):
            assert quota is not None
            assert size > quota if when_full == "evict" else used + size > quota
            continue
        used += size
        if is_to_evict(settings, used):
            assert quota is not None
            assert when_full == "evict"
            used = min(used, evicted_to(quota))
        assert quota is None or used <= quota


@given(total=st.integers(0, 2**50))
def test_a_small_disk_has_a_small_reserve(total: int) -> None:
    assert reserve_of(total) <= min(MOST_RESERVED, total // 20 + 1)
    assert reserve_of(2**40) == MOST_RESERVED

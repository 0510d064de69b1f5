"""How cleanups run: when they are due, one at a time, stopped, failed, and what they tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from tests.service.keeping.bed import CENTRAL, DAY, GROUP, OTHERS, Bed
from virtreg.errors import Conflict, NotFound, StorageError
from virtreg.events import CleanedUp
from virtreg.managed import Reclaimed
from virtreg.service.cleaning import Cleaner, CleanupRun


def test_a_dry_run_tells_what_would_go_and_changes_nothing(bed: Bed) -> None:
    policy = bed.policy(keep_bytes=25)
    for number in range(4):
        bed.keep(CENTRAL, f"{number}", b"%010d" % number)
    bed.clock.advance(31 * DAY)
    for number in range(4, 8):
        bed.keep(CENTRAL, f"{number}", b"%010d" % number)
        bed.clock.advance(1)
    seen: list[CleanupRun] = []
    would = bed.cleaner().run(GROUP, dry_run=True, progress=seen.append)
    assert would == CleanupRun(GROUP, True, {"maven": Reclaimed(6, 60)}, finished=True)
    assert seen[-1] == would
    assert len(bed.paths(CENTRAL)) == 8
    assert bed.saved() == policy
    assert bed.events.of(CleanedUp) == []
    bed.clock.advance(600)
    assert bed.cleaner().run(GROUP).total == would.total


def test_a_run_is_remembered_and_told(bed: Bed) -> None:
    bed.policy(cadence=14, failure_message="earlier", status="failed")
    bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(31 * DAY)
    now = bed.clock()
    (after,) = bed.cleaner().run_due(now)
    assert after == bed.saved()
    assert (after.status, after.failure_message) == ("scheduled", None)
    assert (after.last_run_at, after.next_run_at) == (now, now + 14 * DAY)
    assert after.last_run == Reclaimed(1, 5)
    assert after.last_run_by_format == (("maven", Reclaimed(1, 5)),)
    (event,) = bed.events.of(CleanedUp)
    assert event == CleanedUp(group=GROUP, entries=1, size=5, formats=(("maven", 1, 5),))
    assert bed.cleaner().run_due(now) == []


def test_only_what_is_due_runs(bed: Bed) -> None:
    now = bed.clock()
    bed.policy(enabled=False)
    assert bed.cleaner().run_due(now) == []
    bed.policy(next_run_at=now + 1)
    assert bed.cleaner().run_due(now) == []
    bed.policy(next_run_at=None)
    assert len(bed.cleaner().run_due(now)) == 1


def test_a_policy_that_is_not_there_cannot_run(bed: Bed) -> None:
    with pytest.raises(NotFound, match="no cleanup policy"):
        bed.cleaner().run(GROUP)


def test_one_process_at_a_time_runs(bed: Bed) -> None:
    bed.policy()
    assert bed.index.lease("cleanup", "another", bed.clock(), 60)
    cleaner = bed.cleaner()
    with pytest.raises(Conflict, match="another cleanup is running"):
        cleaner.run(GROUP)
    assert cleaner.run_due(bed.clock()) == []
    bed.clock.advance(60)
    assert len(cleaner.run_due(bed.clock())) == 1
    assert bed.index.lease("cleanup", "another", bed.clock(), 60)


def test_a_long_run_renews_its_lease(bed: Bed) -> None:
    bed.policy()
    bed.keep_many(CENTRAL, 2000)
    bed.clock.advance(31 * DAY)
    taken: list[bool] = []

    def slowly(_run: CleanupRun) -> None:
        bed.clock.advance(20)
        taken.append(bed.index.lease("cleanup", "another", bed.clock(), 60))

    assert bed.cleaner().run(GROUP, progress=slowly).finished
    assert len(taken) >= 8
    assert not any(taken)


def test_a_run_that_lost_its_lease_stops(bed: Bed) -> None:
    bed.policy()
    bed.keep_many(CENTRAL, 600)
    bed.clock.advance(31 * DAY)

    def stand_still(run: CleanupRun) -> None:
        if run.total.entries and bed.index.lease("cleanup", "another", bed.clock() + 61, 600):
            bed.clock.advance(61)

    run = bed.cleaner().run(GROUP, progress=stand_still)
    assert not run.finished
    assert 0 < len(bed.paths(CENTRAL)) < 600


def test_closing_stops_a_run_which_the_next_one_finishes(bed: Bed) -> None:
    due = bed.clock()
    bed.policy()
    bed.keep_many(CENTRAL, 1000)
    bed.clock.advance(31 * DAY)
    cleaner = bed.cleaner()

    def close(run: CleanupRun) -> None:
        if run.total.entries:
            cleaner.close()

    run = cleaner.run(GROUP, progress=close)
    assert not run.finished
    left = len(bed.paths(CENTRAL))
    assert left == 1000 - run.total.entries > 0
    assert (bed.saved().status, bed.saved().next_run_at) == ("scheduled", due)
    assert cleaner.run_due(bed.clock()) == []
    (after,) = bed.cleaner().run_due(bed.clock())
    assert after.last_run.entries == left
    assert bed.findings() == []


@pytest.mark.parametrize("enabled", [True, False])
def test_a_run_that_died_is_healed(bed: Bed, enabled: bool) -> None:
    bed.policy(enabled=enabled, status="running", next_run_at=bed.clock() + 9 * DAY)
    ran = bed.cleaner().run_due(bed.clock())
    assert [policy.group for policy in ran] == ([GROUP] if enabled else [])
    assert bed.saved().status == "scheduled"


class Failing:
    """Progress that fails as a store does."""

    def __call__(self, _run: CleanupRun) -> None:
        raise StorageError("the bucket is gone: " + "x" * 300)


def test_a_failure_is_told_and_the_next_run_comes_all_the_same(bed: Bed) -> None:
    bed.policy(cadence=7)
    bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(31 * DAY)
    with pytest.raises(StorageError):
        bed.cleaner().run(GROUP, progress=Failing())
    after = bed.saved()
    assert after.status == "failed"
    assert after.failure_message is not None
    assert after.failure_message.startswith("the bucket is gone: xxx")
    assert len(after.failure_message) == 255
    assert after.next_run_at == bed.clock() + 7 * DAY
    (event,) = bed.events.of(CleanedUp)
    assert event.failure.startswith("the bucket is gone")


def test_one_groups_failure_is_not_anothers(bed: Bed) -> None:
    bed.policy()
    bed.catalog.save_policy(evolve(bed.saved(), group="rest"))
    bed.keep(CENTRAL, "p", b"bytes")
    bed.keep(OTHERS, "q", b"bytes")
    bed.clock.advance(31 * DAY)
    (bed.folder / "blobs").mkdir(exist_ok=True)
    first = True

    def fail_once() -> None:
        nonlocal first
        if first:
            first = False
            raise StorageError("busy")

    rest, team = bed.cleaner(settle=fail_once).run_due(bed.clock())
    assert (rest.group, rest.status, rest.failure_message) == ("rest", "failed", "busy")
    assert (team.group, team.status, team.last_run.entries) == (GROUP, "scheduled", 1)


def test_a_policy_changed_or_removed_while_it_runs_stays_so(bed: Bed) -> None:
    bed.policy()

    def during(change: Callable[[], None]) -> None:
        bed.cleaner().run(GROUP, progress=lambda run: change() if not run.finished else None)

    bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(31 * DAY)
    during(lambda: bed.catalog.save_policy(evolve(bed.saved(), keep_n_days_after_download=99)))
    assert bed.saved().keep_n_days_after_download == 99
    bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(100 * DAY)
    during(lambda: bed.catalog.remove_policy(GROUP))
    assert bed.catalog.policy(GROUP) is None


@pytest.mark.parametrize("gone", [True, False])
def test_a_policy_removed_or_switched_off_while_others_run_does_not_run(
    bed: Bed, gone: bool
) -> None:
    later = bed.policy()
    assert later.group > "rest"
    bed.catalog.save_policy(evolve(later, group="rest"))
    bed.keep(OTHERS, "p", b"goes")
    bed.keep(CENTRAL, "q", b"stays")
    bed.clock.advance(31 * DAY)

    def decide() -> None:
        if gone:
            bed.catalog.remove_policy(GROUP)
        else:
            bed.catalog.save_policy(evolve(later, enabled=False))

    ran = bed.cleaner(settle=decide).run_due(bed.clock())
    assert [policy.group for policy in ran] == ["rest"]
    assert (bed.paths(OTHERS), bed.paths(CENTRAL)) == ([], ["q"])
    assert bed.catalog.policy(GROUP) == (None if gone else evolve(later, enabled=False))


def test_it_is_told_once_that_something_was_removed(bed: Bed) -> None:
    told: list[None] = []
    cleaner = bed.cleaner(removed=lambda: told.append(None))
    bed.policy()
    bed.keep_many(CENTRAL, 600)
    assert cleaner.run(GROUP).total == Reclaimed()
    assert told == []
    bed.clock.advance(31 * DAY)
    assert cleaner.run(GROUP).total.entries == 600
    assert len(told) == 1
    bed.keep_many(CENTRAL, 10)
    assert cleaner.evict(GROUP, 0).entries == 10
    assert len(told) == 2


def test_what_cannot_be_told_of_a_removal_is_no_failure_of_the_run(bed: Bed) -> None:
    def refuse() -> None:
        raise StorageError("the catalog is locked")

    bed.policy()
    bed.keep(CENTRAL, "p", b"goes")
    bed.clock.advance(31 * DAY)
    assert bed.cleaner(removed=refuse).run(GROUP).finished
    assert bed.saved().status == "scheduled"


def test_closing_stops_a_run_that_finds_nothing_yet(bed: Bed) -> None:
    bed.policy()
    bed.keep_many(CENTRAL, 600)
    for path in bed.paths(CENTRAL):
        bed.download(CENTRAL, path)

    def clock() -> float:
        if bed.saved().status == "running":
            cleaner.close()
        return bed.clock()

    cleaner = Cleaner(bed.index, bed.store, bed.catalog, clock, bed.events, hurry=True)
    assert not cleaner.run(GROUP).finished
    assert bed.saved().status == "scheduled"

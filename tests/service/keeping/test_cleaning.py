"""What a cleanup policy removes, what it spares, and what it tells."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from tests.service.keeping.bed import CENTRAL, DAY, GROUP, HUB, OTHERS, Bed, MakeBed
from virtreg.core.layout import blob_key
from virtreg.errors import Conflict, NotFound, StorageError
from virtreg.events import CleanedUp
from virtreg.managed import Reclaimed
from virtreg.service.cleaning import Cleaner, CleanupRun


def test_what_was_not_downloaded_for_days_goes_and_all_else_stays(bed: Bed) -> None:
    bed.policy(keep_n_days_after_download=30)
    bed.keep(CENTRAL, "old", b"old", used=True)
    bed.keep(CENTRAL, "never used", b"never")
    bed.keep(CENTRAL, "old, used again", b"again", used=True)
    bed.keep(HUB, "image", b"image", used=True)
    bed.keep(OTHERS, "of another group", b"theirs")
    bed.clock.advance(30 * DAY)
    assert bed.cleaner().run(GROUP).total == Reclaimed()
    bed.clock.advance(1)
    bed.download(CENTRAL, "old, used again")
    bed.keep(CENTRAL, "new", b"new")
    run = bed.cleaner().run(GROUP)
    assert run == CleanupRun(
        GROUP, by_format={"maven": Reclaimed(2, 8), "container": Reclaimed(1, 5)}, finished=True
    )
    assert bed.paths(CENTRAL) == ["new", "old, used again"]
    assert bed.paths(HUB) == []
    assert bed.paths(OTHERS) == ["of another group"]
    assert bed.findings() == []


def test_a_budget_takes_what_was_used_least_recently(bed: Bed) -> None:
    bed.policy(keep_bytes=50)
    for number in range(10):
        bed.keep(CENTRAL, f"{number}", b"%010d" % number, used=True)
        bed.clock.advance(60)
    for number in (1, 0):
        bed.download(CENTRAL, f"{number}")
        bed.clock.advance(60)
    bed.clock.advance(600)
    run = bed.cleaner().run(GROUP)
    assert run.total == Reclaimed(5, 50)
    assert bed.paths(CENTRAL) == ["0", "1", "7", "8", "9"]


def test_a_budget_counts_a_shared_blob_once(bed: Bed) -> None:
    bed.policy(keep_bytes=20)
    for path in ("by tag", "by digest", "other name"):
        bed.keep(HUB, path, b"same bytes")
        bed.keep(CENTRAL, path, b"same bytes")
    bed.keep(HUB, "another", b"other byte")
    bed.clock.advance(600)
    assert bed.cleaner().run(GROUP).total == Reclaimed()


def test_bytes_that_another_group_keeps_are_not_freed(bed: Bed) -> None:
    bed.policy()
    kept = bed.keep(CENTRAL, "p", b"shared")
    bed.keep(OTHERS, "q", b"shared")
    bed.clock.advance(31 * DAY)
    assert bed.cleaner().run(GROUP).total == Reclaimed(1, 0)
    assert bed.blobs() == {kept.sha256}
    assert bed.findings() == []


def test_what_is_put_again_at_this_moment_is_not_deleted(bed: Bed) -> None:
    bed.policy()
    entry = bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(31 * DAY)
    bed.store.put(blob_key(entry.sha256), b"bytes")
    assert bed.cleaner().run(GROUP).total == Reclaimed(1, 0)
    assert bed.blobs() == {entry.sha256}
    bed.index.put([evolve(entry, path="q", created_at=bed.clock())])
    bed.clock.advance(3600)
    bed.cleaner().run_due(bed.clock())
    assert bed.blobs() == {entry.sha256}


def test_a_young_blob_is_freed_by_a_later_run(bed: Bed) -> None:
    bed.policy()
    entry = bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(31 * DAY)
    bed.store.put(blob_key(entry.sha256), b"bytes")
    cleaner = bed.cleaner()
    cleaner.run(GROUP)
    assert bed.blobs() == {entry.sha256}
    bed.clock.advance(3600)
    cleaner.run_due(bed.clock())
    assert bed.blobs() == set()


def test_a_body_being_read_stays_readable(make_bed: MakeBed) -> None:
    bed = make_bed(on_disk=True)
    bed.policy()
    content = bytes(1_000_000)
    bed.keep(CENTRAL, "p", content)
    # Blobs on a disk are as old as the disk says.
    bed.clock.advance(4_000 * DAY)
    with bed.store.open(blob_key(next(iter(bed.blobs())))) as body:
        pieces = body.read()
        begun = next(pieces)
        assert bed.cleaner().run(GROUP).total == Reclaimed(1, len(content))
        assert bed.blobs() == set()
        assert begun + b"".join(pieces) == content


def test_what_is_downloaded_while_it_runs_stays(bed: Bed) -> None:
    bed.policy()
    bed.keep_many(CENTRAL, 600)
    bed.clock.advance(31 * DAY)
    downloaded: list[str] = []

    def download(_run: CleanupRun) -> None:
        left = bed.paths(CENTRAL)
        if left and not downloaded:
            downloaded.append(left[-1])
            bed.download(CENTRAL, left[-1])

    run = bed.cleaner().run(GROUP, progress=download)
    assert run.total.entries == 599
    assert bed.paths(CENTRAL) == downloaded


def test_downloads_that_wait_to_be_written_are_written_first(bed: Bed) -> None:
    bed.policy()
    bed.keep(CENTRAL, "p", b"bytes")
    bed.clock.advance(31 * DAY)
    cleaner = bed.cleaner(settle=lambda: bed.download(CENTRAL, "p"))
    assert cleaner.run(GROUP).total == Reclaimed()
    assert bed.paths(CENTRAL) == ["p"]


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


def test_entries_of_retired_sources_go_whoever_has_a_policy(bed: Bed) -> None:
    entry = bed.keep(CENTRAL, "p", b"bytes", used=True)
    kept = bed.keep(HUB, "q", b"other")
    (place, _), *_ = bed.catalog.upstreams_of(1)
    bed.catalog.purge_upstream(place.upstream_id)
    assert CENTRAL.key in bed.catalog.retired()
    bed.clock.advance(600)
    cleaner = bed.cleaner()
    cleaner.run_due(bed.clock())
    assert bed.index.find("p", [CENTRAL.key]) == []
    assert bed.index.downloads(CENTRAL.key, "p") == (0, None)
    assert bed.blobs() == {kept.sha256}
    # What was on its way then is still to come.
    bed.index.put([entry])
    cleaner.run_due(bed.clock())
    assert bed.index.find("p", [CENTRAL.key]) == []
    assert CENTRAL.key in bed.catalog.retired()
    bed.clock.advance(3 * 3600)
    cleaner.run_due(bed.clock())
    assert CENTRAL.key not in bed.catalog.retired()


def test_a_source_out_of_use_once_more_is_waited_for_once_more(bed: Bed) -> None:
    cleaner = bed.cleaner()
    made = bed.catalog.add_registry(GROUP, "maven", {"name": "two"}).spec.id
    for name in ("a", "b"):
        url = f"https://{name}.example/"
        place = bed.catalog.add_upstream(made, {"name": name, "url": url})[1].id
    registry = bed.catalog.registry(made)
    assert registry is not None
    source = registry.spec.key
    bed.catalog.move(place, 1)
    assert source in bed.catalog.retired()
    cleaner.run_due(bed.clock())
    bed.catalog.move(place, 2)
    assert source not in bed.catalog.retired()
    bed.clock.advance(3 * 3600)
    cleaner.run_due(bed.clock())
    bed.catalog.move(place, 1)
    cleaner.run_due(bed.clock())
    assert source in bed.catalog.retired()


def test_downloads_of_what_is_not_kept_are_forgotten(bed: Bed) -> None:
    bed.policy()
    bed.download(CENTRAL, "streamed")
    bed.clock.advance(1)
    bed.cleaner().run(GROUP)
    assert bed.index.downloads(CENTRAL.key, "streamed") == (1, bed.clock() - 1)
    bed.clock.advance(3600)
    bed.cleaner().run(GROUP)
    assert bed.index.downloads(CENTRAL.key, "streamed") == (0, None)


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

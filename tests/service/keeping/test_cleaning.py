"""What a cleanup policy removes, and what it spares."""

from __future__ import annotations

from attrs import evolve

from tests.service.keeping.bed import CENTRAL, DAY, GROUP, HUB, OTHERS, Bed, MakeBed
from virtreg.core.layout import blob_key
from virtreg.managed import Reclaimed
from virtreg.service.cleaning import CleanupRun


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

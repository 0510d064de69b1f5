"""The part of the suite for indexes that is about removing what is wanted least."""

from __future__ import annotations

import pytest
from attrs import evolve

from virtreg.protocols import CountsDownloads, EntryIndex, Evicts
from virtreg.testing.entries import entry_of


class EvictionTests:
    """The power Evicts, where an index has it."""

    def test_what_was_wanted_least_recently_comes_first(self, index: EntryIndex) -> None:
        if not (isinstance(index, Evicts) and isinstance(index, CountsDownloads)):
            pytest.skip("this index does not evict")
        ages = {f"p{n:03}": float((n * 37) % 500) for n in range(500)}
        index.put([evolve(entry_of(path), created_at=ages[path]) for path in ages])
        index.put([evolve(entry_of("x", "second"), created_at=250.5), entry_of("y", "third")])
        downloads = {("central", path): (1, 1000.0 - ages[path]) for path in list(ages)[::2]}
        index.count({**downloads, ("central", "no entry"): (1, 3.0)})
        met = list(index.least_recent(["central", "second", "central"]))
        assert len(met) == 501
        for entry, last_at in met:
            assert last_at == downloads.get((entry.source, entry.path), (0, None))[1]
        times = [entry.created_at if at is None else at for entry, at in met]
        assert times == sorted(times)
        assert list(index.least_recent([])) == []
        looks: list[None] = []
        assert list(index.least_recent(["central"], lambda: looks.append(None)))
        assert looks

    def test_only_what_is_as_it_was_seen_is_dropped(self, index: EntryIndex) -> None:
        if not (isinstance(index, Evicts) and isinstance(index, CountsDownloads)):
            pytest.skip("this index does not evict")
        index.put([entry_of(path) for path in ("used", "unused", "again", "first", "new", "fresh")])
        index.count({("central", "used"): (3, 50.0), ("central", "again"): (1, 50.0)})
        seen = list(index.least_recent(["central"]))
        index.count({("central", "again"): (1, 60.0), ("central", "first"): (1, 60.0)})
        index.put([entry_of("new", version=1)])
        index.touch("central", "fresh", 70.0)
        dropped = index.drop_entries([*seen, (entry_of("gone"), None)])
        assert sorted(entry.path for entry in dropped) == ["unused", "used"]
        left = {entry.path for entry in index.page("central")}
        assert left == {"again", "first", "new", "fresh"}
        assert index.downloads("central", "used") == (0, None)
        assert index.downloads("central", "again") == (2, 60.0)
        assert index.drop_entries([]) == index.drop_entries(seen[:1]) == []

    def test_digests_of_what_was_removed_are_loose_until_settled(self, index: EntryIndex) -> None:
        if not isinstance(index, Evicts):
            pytest.skip("this index does not evict")
        entries = [entry_of(f"p{n}", version=n) for n in range(6)]
        index.put([*entries, entry_of("also", "other", version=0)])
        assert index.loose() == []
        index.drop_entries([(entries[0], None)])
        index.drop("central", "p1")
        assert index.drop_some("central", 2) == 2
        gone = sorted(entry.sha256 for entry in entries[:4])
        assert index.loose() == gone
        assert index.loose(after=gone[1], limit=1) == gone[2:3]
        assert index.referenced_in(["central"], gone) == set()
        assert index.referenced_in(["central", "other"], gone) == {entries[0].sha256}
        index.settle(gone[:3])
        index.settle([])
        assert index.loose() == gone[3:]
        assert index.drop("central") == 2
        assert len(index.loose()) == 3

    def test_a_source_is_dropped_with_its_counts(self, index: EntryIndex) -> None:
        if not (isinstance(index, Evicts) and isinstance(index, CountsDownloads)):
            pytest.skip("this index does not evict")
        index.put([entry_of(f"p{n}") for n in range(5)] + [entry_of("p0", "other")])
        index.count({("central", "p0"): (1, 5.0), ("other", "p0"): (1, 5.0)})
        assert [index.drop_some("central", 2) for _ in range(4)] == [2, 2, 1, 0]
        assert index.page("central") == []
        assert index.downloads("central", "p0") == (0, None)
        assert index.downloads("other", "p0") == (1, 5.0)

    def test_counts_without_an_entry_are_found_and_dropped(self, index: EntryIndex) -> None:
        if not (isinstance(index, Evicts) and isinstance(index, CountsDownloads)):
            pytest.skip("this index does not evict")
        index.put([entry_of(f"p{n}") for n in range(5)])
        index.count({("central", f"p{n}"): (1, float(n)) for n in range(8)} | {("o", "p1"): (1, 1)})
        met: list[tuple[str, str, float]] = []
        strays, after = index.stray_counts(limit=2)
        while after is not None:
            met += strays
            strays, after = index.stray_counts(after, limit=2)
        met += strays
        assert sorted(met) == [
            ("central", "p5", 5),
            ("central", "p6", 6),
            ("central", "p7", 7),
            ("o", "p1", 1),
        ]
        assert index.drop_counts([(source, path) for source, path, _ in met], 6.0) == 3
        assert index.downloads("central", "p7") == (1, 7.0)
        assert index.downloads("central", "p5") == (0, None)
        assert index.downloads("central", "p4") == (1, 4.0)
        assert index.drop_counts([], 6.0) == 0

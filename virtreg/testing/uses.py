"""The part of the suite for indexes that is about what they know of use."""

from __future__ import annotations

import pytest
from attrs import evolve

from virtreg.model import Entry
from virtreg.protocols import CountsDownloads, EntryIndex, KnowsUse
from virtreg.testing.entries import entry_of


class UseTests:
    """The powers CountsDownloads and KnowsUse, where an index has them."""

    def test_downloads_add_up(self, index: EntryIndex) -> None:
        if not isinstance(index, CountsDownloads):
            pytest.skip("this index does not count downloads")
        assert index.downloads("central", "p") == (0, None)
        index.count({("central", "p"): (2, 100.0), ("other", "p"): (1, 50.0)})
        index.count({("central", "p"): (3, 90.0)})
        index.count({})
        assert index.downloads("central", "p") == (5, 100.0)
        index.count({("central", "p"): (1, 110.0)})
        assert index.downloads("central", "p") == (6, 110.0)
        assert index.downloads("other", "p") == (1, 50.0)

    def test_the_newest_come_first_and_pages_do_not_overlap(self, index: EntryIndex) -> None:
        if not isinstance(index, KnowsUse):
            pytest.skip("this index does not know what is used")
        entries = [evolve(entry_of(f"p{n:02}"), created_at=100.0 + n // 2) for n in range(25)]
        index.put([*entries, entry_of("other", "other")])
        seen: list[Entry] = []
        for offset in range(0, 30, 10):
            page, total = index.recent("central", limit=10, offset=offset)
            assert total == 25
            seen += page
        assert sorted(seen, key=lambda entry: entry.path) == entries
        assert [entry.created_at for entry in seen] == sorted(
            (entry.created_at for entry in entries), reverse=True
        )
        assert index.recent("central", offset=25) == ([], 25)
        assert index.recent("nowhere") == ([], 0)
        found, total = index.recent("central", search="P1", limit=3)
        assert [entry.path for entry in found] == ["p19", "p18", "p17"]
        assert total == 10

    def test_a_search_for_the_newest_has_no_wildcards(self, index: EntryIndex) -> None:
        if not isinstance(index, KnowsUse):
            pytest.skip("this index does not know what is used")
        index.put([entry_of(path) for path in ("100%", "1000", "a_b", "axb")])
        assert [entry.path for entry in index.recent("central", search="0%")[0]] == ["100%"]
        assert [entry.path for entry in index.recent("central", search="A_B")[0]] == ["a_b"]

    def test_downloads_of_many_are_told_at_once(self, index: EntryIndex) -> None:
        if not (isinstance(index, KnowsUse) and isinstance(index, CountsDownloads)):
            pytest.skip("this index does not know what is used")
        paths = ["it's", 'a"b', "ä/漢", "a\\b", *(f"p{n}" for n in range(1200))]
        index.count({("central", path): (1, 5.0) for path in paths} | {("other", "p1"): (2, 6.0)})
        asked = [("central", path) for path in [*paths, "never"]] + [("other", "p1")]
        found = index.downloads_of(asked)
        assert found == {("central", path): (1, 5.0) for path in paths} | {("other", "p1"): (2, 6)}
        assert index.downloads_of([]) == {}

    def test_a_blob_counts_once_for_each_source(self, index: EntryIndex) -> None:
        if not isinstance(index, KnowsUse):
            pytest.skip("this index does not know what is used")
        assert index.usage() == {}
        index.put([entry_of("a", version=7), entry_of("b", version=7), entry_of("c", version=5)])
        index.put([entry_of("a", "other", version=7)])
        assert index.usage() == {"central": (3, 12), "other": (1, 7)}
        assert index.used(["central", "other"]) == 12
        assert index.used(["other"]) == 7
        assert index.used([]) == index.used(["nowhere"]) == 0

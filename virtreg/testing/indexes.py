"""The contract of an EntryIndex, as tests. Subclass the suite and say how to make one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier, Event

import pytest
from attrs import evolve

from virtreg.model import Entry
from virtreg.protocols import EntryIndex, KnowsDigests, KnowsReferences, ListsByDigest
from virtreg.testing.entries import entry_of
from virtreg.testing.evictions import EvictionTests
from virtreg.testing.journals import JournalTests
from virtreg.testing.uses import UseTests

__all__ = ["EntryIndexSuite", "entry_of"]


class EntryIndexSuite(UseTests, EvictionTests, JournalTests):
    """Subclass as ``class TestMyIndex(EntryIndexSuite)`` and override :meth:`open_index`."""

    def open_index(self, folder: Path) -> AbstractContextManager[EntryIndex]:
        """A new, empty index, closed on exit; ``folder`` is empty and the test's own."""
        raise NotImplementedError

    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[EntryIndex]:
        folder = tmp_path / "index"
        folder.mkdir()
        with self.open_index(folder) as index:
            yield index

    def test_an_entry_comes_back_field_by_field(self, index: EntryIndex) -> None:
        whole = entry_of("org/example/a.jar", version=7)
        bare = evolve(
            whole, path="b", content_type=None, etag=None, last_modified=None, parts="", size=2**40
        )
        index.put([whole, bare])
        assert index.find("org/example/a.jar", ["central"]) == [whole]
        assert index.find("b", ["central"]) == [bare]

    @pytest.mark.parametrize("path", ["a%b", "a_b", "ä/Ω/漢", "it's", 'a"b', "a\\b", "; --", "a b"])
    def test_a_path_means_itself_alone(self, index: EntryIndex, path: str) -> None:
        index.put([entry_of(path), entry_of("aXb")])
        assert index.find(path, ["central"]) == [entry_of(path)]
        assert index.drop("central", path) == 1
        assert index.find("aXb", ["central"]) == [entry_of("aXb")]

    def test_a_path_is_found_in_the_sources_asked_for(self, index: EntryIndex) -> None:
        first, second, third = (entry_of("p", source) for source in ("s1", "s2", "s3"))
        index.put([first, second, third, entry_of("q", "s1")])
        assert index.find("p", ["s2"]) == [second]
        found = index.find("p", ["s3", "nowhere", "s1"])
        assert sorted(found, key=lambda entry: entry.source) == [first, third]
        assert index.find("p", []) == []
        assert index.find("P", ["s1"]) == []
        assert index.find("p", [f"other-{number}" for number in range(40)]) == []

    def test_a_put_replaces_by_source_and_path(self, index: EntryIndex) -> None:
        index.put([entry_of("p", version=1), entry_of("p", "other", version=1)])
        index.put([entry_of("p", version=2)])
        index.put([])
        assert index.find("p", ["central"]) == [entry_of("p", version=2)]
        assert index.find("p", ["other"]) == [entry_of("p", "other", version=1)]

    def test_a_touch_sets_the_time_of_one_entry_alone(self, index: EntryIndex) -> None:
        index.put([entry_of("p"), entry_of("p", "other"), entry_of("q")])
        index.touch("central", "p", 1234.5)
        index.touch("central", "gone", 1234.5)
        assert index.find("p", ["central"]) == [evolve(entry_of("p"), checked_at=1234.5)]
        assert index.find("p", ["other"]) == [entry_of("p", "other")]
        assert index.find("q", ["central"]) == [entry_of("q")]
        assert index.find("gone", ["central"]) == []

    def test_a_drop_tells_how_many_went(self, index: EntryIndex) -> None:
        index.put([entry_of(path) for path in "abc"] + [entry_of("a", "other")])
        assert index.drop("central", "a") == 1
        assert index.drop("central", "a") == 0
        assert index.drop("central") == 2
        assert index.drop("nowhere") == 0
        assert index.find("a", ["central", "other"]) == [entry_of("a", "other")]

    def test_pages_run_through_a_source_in_path_order(self, index: EntryIndex) -> None:
        paths = [f"p/{number}" for number in range(25)] + ["A", "a", "Ä", "p", "漢", "😀"]
        index.put([entry_of(path) for path in paths] + [entry_of("b", "other")])
        seen: list[str] = []
        while page := index.page("central", after=seen[-1] if seen else "", limit=7):
            assert len(page) <= 7
            seen += [entry.path for entry in page]
        assert seen == sorted(paths)
        assert index.page("central", limit=1) == [entry_of("A")]
        assert index.page("nowhere") == []
        assert index.page("central", limit=0) == []

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("", ["100%", "1000", "Lib.JAR", "a_b", "axb", "back\\slash", "lib.jar"]),
            ("lib.jar", ["Lib.JAR", "lib.jar"]),
            ("LIB", ["Lib.JAR", "lib.jar"]),
            ("100%", ["100%"]),
            ("_", ["a_b"]),
            ("\\", ["back\\slash"]),
            ("!", []),
            ("' OR 1=1 --", []),
        ],
    )
    def test_a_search_is_a_part_of_the_path_whatever_its_case(
        self, index: EntryIndex, search: str, found: list[str]
    ) -> None:
        paths = ["100%", "1000", "Lib.JAR", "lib.jar", "a_b", "axb", "back\\slash"]
        index.put([entry_of(path) for path in paths])
        assert [entry.path for entry in index.page("central", search=search)] == found
        assert [entry.path for entry in index.page("central", after="1", search=search)] == found
        assert [entry.path for entry in index.page("central", limit=1, search=search)] == found[:1]

    def test_a_lease_has_one_holder_until_it_ends(self, index: EntryIndex) -> None:
        assert index.lease("cleanup", "us", 100.0, 60)
        assert not index.lease("cleanup", "them", 159.9, 60)
        assert index.lease("cleanup", "us", 150.0, 60)
        assert not index.lease("cleanup", "them", 160.0, 60)
        assert index.lease("other", "them", 160.0, 60)
        assert index.lease("cleanup", "them", 210.0, 60)
        assert not index.lease("cleanup", "us", 210.0, 60)

    def test_a_lease_given_up_is_free(self, index: EntryIndex) -> None:
        assert index.lease("cleanup", "us", 100.0, 60)
        assert not index.lease("cleanup", "them", 101.0, 0)
        assert not index.lease("cleanup", "them", 101.0, 60)
        assert not index.lease("cleanup", "us", 101.0, 0)
        assert index.lease("cleanup", "them", 101.0, 60)

    def test_one_thread_of_many_takes_a_lease(self, index: EntryIndex) -> None:
        start = Barrier(6)

        def take(number: int) -> bool:
            start.wait()
            return index.lease("cleanup", f"holder-{number}", 100.0, 60)

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(take, range(6))) == 1

    def test_readers_see_whole_entries_of_whole_puts(self, index: EntryIndex) -> None:
        index.put([entry_of("p"), entry_of("p", "other")])
        written = Event()

        def write(_: int) -> None:
            try:
                for version in range(1, 150):
                    index.put(
                        [entry_of("p", version=version), entry_of("p", "other", version=version)]
                    )
            finally:
                written.set()

        def read(_: int) -> int:
            last = 0
            while True:
                ended = written.is_set()
                first, second = index.find("p", ["central", "other"])
                assert first.size == second.size >= last
                assert first == entry_of("p", first.source, version=first.size)
                last = first.size
                if ended:
                    return last

        with ThreadPoolExecutor(4) as threads:
            writing = threads.submit(write, 0)
            assert set(threads.map(read, range(3))) == {149}
            writing.result()

    def test_threads_that_write_at_once_lose_nothing(self, index: EntryIndex) -> None:
        start = Barrier(4)

        def write(number: int) -> None:
            start.wait()
            for step in range(20):
                index.put([entry_of(f"{number}/{step}")])
                index.touch("central", f"{number}/{step}", 9.0)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(4)))
        page = index.page("central", limit=1000)
        assert len(page) == 80
        assert {entry.checked_at for entry in page} == {9.0}

    def test_a_blob_is_referenced_while_some_entry_has_it(self, index: EntryIndex) -> None:
        if not isinstance(index, KnowsReferences):
            pytest.skip("this index does not know references")
        kept, gone = entry_of("a", version=1), entry_of("b", version=2)
        index.put([kept, gone, entry_of("c", "other", version=1)])
        others = [f"{number:064x}" for number in range(1200)]
        asked = [*others, kept.sha256, gone.sha256]
        assert index.referenced(asked) == {kept.sha256, gone.sha256}
        assert index.referenced([gone.sha256]) == {gone.sha256}
        assert index.referenced([]) == set()
        index.drop("central")
        assert index.referenced(asked) == {kept.sha256}

    def test_a_body_is_found_in_its_source_under_any_path(self, index: EntryIndex) -> None:
        if not isinstance(index, KnowsDigests):
            pytest.skip("this index does not find entries by digest")
        held, also, elsewhere = (
            entry_of("a", version=1),
            entry_of("b", version=1),
            entry_of("c", "other", version=2),
        )
        index.put([held, also, elsewhere, entry_of("d", version=3)])
        assert index.holding("central", held.sha256) in (held, also)
        assert index.holding("other", elsewhere.sha256) == elsewhere
        assert index.holding("central", elsewhere.sha256) is None
        assert index.holding("other", held.sha256) is None
        assert index.holding("nowhere", held.sha256) is None
        index.drop("central", "a")
        assert index.holding("central", held.sha256) == also
        index.put([entry_of("b", version=2)])
        assert index.holding("central", held.sha256) is None
        assert index.holding("central", elsewhere.sha256) == entry_of("b", version=2)

    def test_entries_are_met_by_digest(self, index: EntryIndex) -> None:
        if not isinstance(index, ListsByDigest):
            pytest.skip("this index does not list by digest")
        entries = [entry_of(f"p{n}", source, version=n % 4) for n in range(9) for source in "ab"]
        index.put(entries)

        def key(entry: Entry) -> tuple[str, str, str]:
            return (entry.sha256, entry.path, entry.source)

        met: list[Entry] = []
        while page := index.by_digest(key(met[-1]) if met else ("", "", ""), limit=4):
            met += page
        assert met == sorted(entries, key=key)

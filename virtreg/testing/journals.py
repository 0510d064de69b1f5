"""The contract of the power Journals, as a part of the suite of an EntryIndex."""

from __future__ import annotations

import pytest
from attrs import evolve

from virtreg.model import Entry
from virtreg.protocols import EntryIndex, Evicts, Journals
from virtreg.testing.entries import entry_of


class JournalTests:
    """Skipped for an index without the power."""

    def test_what_is_put_or_removed_has_changed(self, index: EntryIndex) -> None:
        journal = journal_of(index)
        assert journal.changes() == []
        index.put([entry_of("a"), entry_of("b"), entry_of("c", "other")])
        index.touch("central", "a", 99.0)
        assert changed(journal) == {
            ("central", "a"): evolve(entry_of("a"), checked_at=99.0),
            ("central", "b"): entry_of("b"),
            ("other", "c"): entry_of("c", "other"),
        }
        journal.journalled([change for change, _ in journal.changes()], "first")
        assert journal.changes() == []
        assert index.drop("central", "a") == 1
        assert index.drop("nowhere") == 0
        assert changed(journal) == {("central", "a"): None}
        index.put([entry_of("a", version=1)])
        assert changed(journal) == {("central", "a"): entry_of("a", version=1)}
        assert index.drop("other") == 1
        assert changed(journal)["other", "c"] is None

    def test_what_is_removed_a_little_at_a_time_has_changed(self, index: EntryIndex) -> None:
        journal = journal_of(index)
        if not isinstance(index, Evicts):
            pytest.skip("no power Evicts")
        index.put([entry_of(path) for path in "abc"])
        journal.journalled([change for change, _ in journal.changes()], "first")
        assert index.drop_entries([(entry_of("a"), None), (entry_of("gone"), None)])
        assert changed(journal) == {("central", "a"): None}
        assert index.drop_some("central", 1) == 1
        assert changed(journal) == {("central", "a"): None, ("central", "b"): None}

    def test_what_changes_again_is_not_forgotten(self, index: EntryIndex) -> None:
        journal = journal_of(index)
        index.put([entry_of("p"), entry_of("q")])
        seen = [change for change, _ in journal.changes()]
        index.put([entry_of("p", version=1)])
        journal.journalled(seen, "first")
        assert changed(journal) == {("central", "p"): entry_of("p", version=1)}
        (change, _), *_ = journal.changes()
        assert change not in seen
        index.put([entry_of(f"{number}") for number in range(1200)])
        assert len(journal.changes(limit=7)) == 7
        journal.journalled([change for change, _ in journal.changes(limit=5000)], "second")
        assert journal.changes() == []

    def test_the_index_remembers_how_far_the_journal_is(self, index: EntryIndex) -> None:
        journal = journal_of(index)
        assert journal.journal() == ("", "")
        journal.intend("first")
        assert journal.journal() == ("", "first")
        journal.journalled([], "first")
        journal.intend("second")
        assert journal.journal() == ("first", "second")

    def test_who_comes_late_does_not_say_how_far_the_journal_is(self, index: EntryIndex) -> None:
        journal = journal_of(index)
        index.put([entry_of("p")])
        seen = [change for change, _ in journal.changes()]
        journal.intend("first")
        journal.intend("second")
        journal.journalled([], "second")
        journal.journalled(seen, "first")
        assert journal.journal() == ("second", "second")
        assert journal.changes() == []

    def test_everything_is_found_in_order_and_once(self, index: EntryIndex) -> None:
        journal = journal_of(index)
        entries = [entry_of(path, source) for path in ("a", "B", "ä", "p/1") for source in "ts"]
        index.put(entries)
        found: list[Entry] = []
        after = ("", "")
        while page := journal.everything(after, limit=3):
            assert len(page) <= 3
            found += page
            after = (page[-1].path, page[-1].source)
        assert found == sorted(entries, key=lambda entry: (entry.path, entry.source))


def journal_of(index: EntryIndex) -> Journals:
    if not isinstance(index, Journals):
        pytest.skip("no power Journals")
    return index


def changed(journal: Journals) -> dict[tuple[str, str], Entry | None]:
    return {(change.source, change.path): entry for change, entry in journal.changes()}

"""What changes is written down beside the blobs, a little later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.service.hub import entry_of
from tests.service.journal.shelf import WEEK, Shelf
from virtreg.backends.store import LocalStore, MemoryStore
from virtreg.core.journalling import Gone, Note, Writing, records_of
from virtreg.errors import StorageError
from virtreg.model import Entry
from virtreg.service.agreement import LOST
from virtreg.service.checkpoints import torn_parts
from virtreg.service.journal import Journal
from virtreg.service.leasing import SECONDS


def written(shelf: Shelf) -> list[Entry | Gone]:
    """In the notes of changes."""
    return [
        record
        for note in shelf.notes()
        if note.records is not None
        for record in records_of(shelf.store.read_note(str(note)))
    ]


def test_what_is_put_and_removed_is_written_as_it_is_then(shelf: Shelf) -> None:
    shelf.keep("a", b"first")
    again = shelf.keep("a", b"second")
    shelf.keep("b", b"b")
    shelf.drop("b")
    assert shelf.journal.write() == 4
    assert written(shelf) == [again, Gone("central", "b", shelf.clock())]
    assert shelf.index.changes() == []
    assert shelf.journal.write() == 0
    assert shelf.agrees()


def test_few_changes_join_those_that_were_written_before(shelf: Shelf) -> None:
    for number in range(5):
        shelf.keep(f"{number}", b"%d" % number)
        assert shelf.journal.write() == 1
    shelf.drop("0")
    journal = shelf.journal
    assert journal.write() == 1
    shelf.keep("1", b"another")
    assert journal.write() == 1
    (note,) = shelf.notes()
    assert note.records == 5
    assert {record.path for record in written(shelf)} == {"0", "1", "2", "3", "4"}


def test_many_changes_are_several_notes(shelf: Shelf) -> None:
    shelf.index.put([entry_of("central", f"{number}", b"x") for number in range(2500)])
    assert shelf.journal.write() == 2500
    assert [note.records for note in shelf.notes()] == [1000, 1000, 500]


def test_a_damaged_note_is_left_and_another_begun(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write()
    (note,) = shelf.notes()
    shelf.store.write_note(str(note), b"damaged")
    shelf.keep("b", b"b")
    shelf.journal.write()
    assert len(shelf.notes()) == 2
    assert shelf.notes()[0] == note


def test_a_note_with_more_than_its_name_tells_is_left_and_another_begun(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write()
    (note,) = shelf.notes()
    others = Writing()
    for number in range(2000):
        others.add(Gone("central", f"{number}", 0))
    shelf.store.write_note(str(note), others.content())
    shelf.keep("b", b"b")
    shelf.journal.write()
    assert [each.records for each in shelf.notes()] == [1, 1]


def test_the_first_checkpoint_holds_what_was_there_before(shelf: Shelf) -> None:
    for number in range(3):
        shelf.keep(f"{number}", b"%d" % number)
    journal = shelf.journal
    journal.write(tidy=True)
    assert [note.whole for note in shelf.notes()] == [False, True]
    assert written(shelf) == []
    shelf.keep("later", b"later")
    journal.write(tidy=True)
    assert [record.path for record in written(shelf)] == ["later"]


def test_a_checkpoint_makes_older_notes_needless(shelf: Shelf) -> None:
    journal = shelf.journal
    shelf.keep("a", b"a")
    journal.write(tidy=True)
    before = shelf.notes()
    shelf.clock.advance(WEEK + 1)
    journal.write(tidy=True)
    assert shelf.notes() == before, "nothing has changed since"
    shelf.keep("b", b"b")
    journal.write(tidy=True)
    assert not set(before) & set(shelf.notes())
    assert [note.whole for note in shelf.notes()] == [False, True]
    assert shelf.agrees()


def test_one_process_of_all_writes(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    assert shelf.index.lease("journal", "another", shelf.clock(), 60)
    assert shelf.journal.write() == 0
    assert shelf.notes() == []
    shelf.clock.advance(61)
    assert shelf.journal.write() == 1


def test_many_processes_lose_nothing(shelf: Shelf) -> None:
    journals = [shelf.journal for _ in range(4)]
    start = threading.Barrier(5)

    def write(journal: Journal) -> None:
        start.wait()
        for _ in range(20):
            journal.write()

    threads = [threading.Thread(target=write, args=[journal]) for journal in journals]
    for thread in threads:
        thread.start()
    start.wait()
    for number in range(100):
        shelf.index.put([entry_of("central", f"{number}", b"%d" % number)])
    for thread in threads:
        thread.join()
    shelf.journal.write()
    assert {record.path for record in written(shelf)} == {f"{number}" for number in range(100)}
    assert shelf.agrees()


class Down(LocalStore):
    """Where nothing can be written for a while."""

    down = True

    def write_note(self, name: str, content: bytes) -> None:
        if self.down:
            raise StorageError("the store is down")
        super().write_note(name, content)


def test_the_index_remembers_while_the_store_is_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Down(tmp_path / "files")
    with closing(Shelf(tmp_path, store)) as shelf:
        kept = [shelf.keep(f"{number}", b"%d" % number) for number in range(3)]
        journal = shelf.journal
        with pytest.raises(StorageError):
            journal.write()
        assert shelf.agrees()
        store.down = False
        assert journal.write() == 3
        assert written(shelf) == kept


def test_a_thread_writes_and_closing_it_writes_the_rest(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.start()
    kept = shelf.keep("a", b"a")
    journal.close()
    assert written(shelf) == [kept]
    assert "virtreg-journal" not in {thread.name for thread in threading.enumerate()}


def test_trouble_is_told_once_and_so_is_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "virtreg.service.journal")
    store = Down(tmp_path / "files")
    with closing(Shelf(tmp_path, store)) as shelf:
        shelf.keep("a", b"a")
        for down in (True, True, False):
            store.down = down
            journal = shelf.journal
            journal.start()
            journal.close()
            assert journal.trouble == (
                "the journal of the index cannot be written: the store is down" if down else ""
            )
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_an_index_that_was_lost_writes_nothing(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write()
    before = shelf.notes()
    shelf.lose_index()
    shelf.keep("b", b"b")
    journal = shelf.journal
    assert journal.write(tidy=True) == 0
    assert journal.trouble == LOST
    assert shelf.notes() == before
    assert len(shelf.index.changes()) == 1


def test_where_no_notes_are_kept_nothing_is_remembered_for_long(shelf: Shelf) -> None:
    shelf.index.put([entry_of("central", f"{number}", b"x") for number in range(1500)])
    journal = Journal(shelf.index, MemoryStore(), shelf.clock)
    assert journal.write() == 1500
    assert shelf.index.changes() == []
    assert journal.write(tidy=True) == 0
    assert journal.trouble == ""


class Suspended(LocalStore):
    """The process of one writer stands still when its note is written."""

    then: Callable[[], object] | None = None

    def write_note(self, name: str, content: bytes) -> None:
        super().write_note(name, content)
        then, self.then = self.then, None
        if then is not None:
            then()


def test_a_writer_that_was_suspended_undoes_nothing_of_who_took_over(tmp_path: Path) -> None:
    store = Suspended(tmp_path / "files")
    with closing(Shelf(tmp_path, store)) as shelf:
        first = shelf.keep("a", b"a")
        late = shelf.journal

        def take_over() -> None:
            shelf.clock.advance(SECONDS + 1)
            second = shelf.keep("b", b"b")
            assert shelf.journal.write() == 2
            assert written(shelf) == [first, second]

        store.then = take_over
        late.write()
        assert shelf.agrees()
        assert shelf.index.changes() == []
        shelf.lose_index()
        shelf.rebuild()
        assert {each.path for each in shelf.entries()} == {"a", "b"}


def test_a_writer_whose_clock_is_ahead_does_not_make_the_next_one_lose_its_way(
    shelf: Shelf,
) -> None:
    shelf.index.intend(str(Note(int((shelf.clock() + 300) * 1000), "0" * 8, records=1)))
    shelf.keep("a", b"a")
    shelf.journal.write()
    ahead = shelf.index.journal()[0]
    # What it had begun to write arrives.
    before = Note(int((shelf.clock() + 299) * 1000), "1" * 8, records=0)
    shelf.store.write_note(str(before), Writing().content())
    assert shelf.agrees()
    assert str(shelf.notes()[-1]) == ahead


def test_a_checkpoint_that_was_taken_apart_replaces_nothing(tmp_path: Path) -> None:
    store = Suspended(tmp_path / "files")
    with closing(Shelf(tmp_path, store)) as shelf:
        shelf.keep("a", b"a")
        shelf.journal.write(tidy=True)
        kept = shelf.notes()
        shelf.clock.advance(WEEK + 1)
        shelf.keep("b", b"b")
        shelf.journal.write()

        def take_apart() -> None:
            for note in torn_parts(shelf.notes()):
                store.remove_note(str(note))

        store.then = take_apart
        shelf.journal.write(tidy=True)
        assert set(kept) <= set(shelf.notes())
        shelf.lose_index()
        shelf.rebuild()
        assert {each.path for each in shelf.entries()} == {"a", "b"}

"""An index that is lost is made again."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.service.hub import entry_of
from tests.service.journal.shelf import WEEK, Shelf
from virtreg.backends.store import MemoryStore
from virtreg.core.layout import blob_key
from virtreg.errors import Conflict, StorageError
from virtreg.service.consistency import Consistency, Finding
from virtreg.service.rebuilding import Rebuilding, Rebuilt
from virtreg.service.reclaiming import Reclaimer
from virtreg.service.sweeping import AGE, Sweeper


def blobs(shelf: Shelf) -> set[str]:
    return {key for key, _, _ in shelf.store.list()}


def test_an_index_that_is_lost_comes_back(shelf: Shelf) -> None:
    for number in range(5):
        shelf.keep(f"{number}", b"%d" % number)
    shelf.journal.write(tidy=True)
    shelf.keep("later", b"later")
    shelf.keep("0", b"changed")
    shelf.drop("1")
    shelf.journal.write()
    before = shelf.entries()
    shelf.lose_index()
    assert shelf.entries() == []
    assert not shelf.agrees()
    rebuilt = shelf.rebuild()
    assert shelf.entries() == before
    assert (rebuilt.taken, rebuilt.without, rebuilt.removed) == (6, 0, 0)
    assert rebuilt.notes == rebuilt.of == 2
    assert shelf.agrees()
    assert shelf.index.changes() == []


def test_what_agrees_is_left_as_it_is(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    assert shelf.rebuild() == Rebuilt(agreed=True)
    shelf.journal.write()
    notes = shelf.notes()
    assert shelf.rebuild() == Rebuilt(agreed=True)
    assert shelf.notes() == notes
    shelf.lose_index()
    assert not shelf.rebuild().agreed
    assert shelf.rebuild() == Rebuilt(agreed=True)


def test_an_older_index_takes_up_what_happened_since(shelf: Shelf) -> None:
    for number in range(4):
        shelf.keep(f"{number}", b"%d" % number)
    shelf.journal.write(tidy=True)
    shelf.back_up_index()
    assert shelf.agrees()
    shelf.keep("0", b"changed")
    shelf.drop("1")
    shelf.keep("new", b"new")
    shelf.drop("2")
    shelf.keep("2", b"again")
    shelf.journal.write()
    before = shelf.entries()
    shelf.restore_index()
    assert not shelf.agrees()
    rebuilt = shelf.rebuild()
    assert shelf.entries() == before
    assert (rebuilt.taken, rebuilt.removed) == (3, 1)


def test_a_backup_that_misses_nothing_agrees(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write()
    shelf.keep("b", b"b")
    shelf.back_up_index()
    shelf.restore_index()
    assert shelf.agrees()


def test_an_older_index_is_told_though_a_checkpoint_was_written_since(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write(tidy=True)
    shelf.back_up_index()
    shelf.keep("b", b"b")
    shelf.clock.advance(WEEK + 1)
    shelf.journal.write(tidy=True)
    before = shelf.entries()
    shelf.restore_index()
    assert not shelf.agrees()
    shelf.rebuild()
    assert shelf.entries() == before


def test_what_was_put_since_the_loss_stays(shelf: Shelf) -> None:
    shelf.keep("a", b"old")
    shelf.keep("b", b"b")
    shelf.journal.write(tidy=True)
    shelf.keep("c", b"old")
    shelf.journal.write()
    shelf.lose_index()
    newer = [shelf.keep("a", b"new"), shelf.keep("c", b"new"), shelf.keep("d", b"new")]
    assert shelf.rebuild().taken == 1
    assert [entry.path for entry in shelf.entries()] == ["a", "b", "c", "d"]
    assert [each for each in shelf.entries() if each.path != "b"] == newer
    shelf.lose_index()
    shelf.rebuild()
    assert [each for each in shelf.entries() if each.path != "b"] == newer, "journalled too"


def test_an_entry_without_its_bytes_is_not_taken(shelf: Shelf) -> None:
    gone = shelf.keep("gone", b"gone")
    wrong = shelf.keep("wrong", b"wrong")
    kept = shelf.keep("kept", b"kept")
    shelf.journal.write()
    shelf.store.delete(blob_key(gone.sha256))
    Path(shelf.folder / "files" / blob_key(wrong.sha256)).write_bytes(b"short"[:3])
    shelf.lose_index()
    assert shelf.rebuild().without == 2
    assert shelf.entries() == [kept]


def test_a_damaged_note_is_told_and_the_others_count(shelf: Shelf) -> None:
    shelf.index.put([entry_of("central", f"{number:04}", b"x") for number in range(1500)])
    shelf.store.put(blob_key(hashlib.sha256(b"x").hexdigest()), b"x")
    shelf.journal.write()
    first, _ = shelf.notes()
    content = bytearray(shelf.store.read_note(str(first)))
    content[len(content) // 2] ^= 1
    shelf.store.write_note(str(first), bytes(content))
    shelf.lose_index()
    rebuilt = shelf.rebuild()
    assert rebuilt.damaged == [str(first)]
    assert len(shelf.entries()) == 500
    assert shelf.agrees()


def test_a_checkpoint_that_is_not_all_there_is_none(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write(tidy=True)
    part, whole = shelf.notes()
    shelf.keep("b", b"b")
    shelf.journal.write()
    shelf.store.write_note(str(evolve(whole, stamp=whole.stamp + 1)), b"damaged")
    shelf.store.write_note(str(evolve(part, unique="0" * 8, part=3)), b"torn")
    before = shelf.entries()
    shelf.lose_index()
    shelf.rebuild()
    assert shelf.entries() == before


def test_nothing_is_freed_while_they_do_not_agree(shelf: Shelf) -> None:
    entry = shelf.keep("a", b"a")
    shelf.journal.write()
    shelf.lose_index()
    # A folder's times are those of the machine.
    shelf.clock.advance(time.time() - shelf.clock() + 2 * AGE)
    with closing(Sweeper(shelf.store, shelf.index, shelf.clock)) as sweeper:
        assert sweeper.sweep() == 0
        shelf.index.put([entry])
        shelf.drop("a")
        reclaimer = Reclaimer(shelf.index, shelf.store, shelf.clock)
        assert reclaimer.free([entry.sha256]) == {}
        assert shelf.index.loose() == [entry.sha256]
        finding = Finding("unreferenced", sha256=entry.sha256, size=1)
        assert not Consistency(shelf.index, shelf.store, shelf.clock).repair(finding)
        assert blobs(shelf) == {blob_key(entry.sha256)}
        shelf.rebuild()
        assert shelf.entries() == [entry]
        shelf.drop("a")
        assert sweeper.sweep() == 1
    assert blobs(shelf) == set()


def test_another_place_is_not_taken_for_the_store(shelf: Shelf, tmp_path: Path) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write()
    with closing(Shelf(tmp_path / "other")) as other:
        other.keep("b", b"b")
        other.journal.write()
        assert other.agrees()
        for index, store in ((shelf.index, other.store), (other.index, shelf.store)):
            rebuilding = Rebuilding(index, store, shelf.clock)
            assert not rebuilding.run().agreed


def test_nothing_is_done_while_another_process_does(shelf: Shelf) -> None:
    shelf.keep("a", b"a")
    shelf.journal.write()
    shelf.lose_index()
    assert shelf.index.lease("journal", "another", shelf.clock(), 60)
    with pytest.raises(Conflict, match="another process"):
        shelf.rebuild()
    assert shelf.entries() == []


def test_without_a_journal_nothing_can_be_made(shelf: Shelf) -> None:
    with pytest.raises(StorageError, match="no journal"):
        Rebuilding(shelf.index, MemoryStore(), shelf.clock)


class Life(RuleBasedStateMachine):
    """Whatever happens, an index that is lost after its journal was written comes back as it was,
    and one that is restored as it was last."""

    paths = st.sampled_from("abcd")

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.shelf = Shelf(Path(self._folder.name))

    def teardown(self) -> None:
        self.shelf.close()
        self._folder.cleanup()

    @rule(path=paths, content=st.sampled_from([b"1", b"22"]))
    def keep(self, path: str, content: bytes) -> None:
        self.shelf.keep(path, content)

    @rule(path=paths)
    def drop(self, path: str) -> None:
        self.shelf.drop(path)

    @rule(tidy=st.booleans())
    def write(self, tidy: bool) -> None:
        self.shelf.journal.write(tidy=tidy)

    @rule()
    def wait(self) -> None:
        self.shelf.clock.advance(WEEK + 1)

    @rule()
    def lose(self) -> None:
        self.shelf.journal.write()
        before = self.shelf.entries()
        self.shelf.lose_index()
        self.shelf.rebuild()
        assert self.shelf.entries() == before

    @rule(path=paths, tidy=st.booleans())
    def restore(self, path: str, tidy: bool) -> None:
        self.shelf.back_up_index()
        self.shelf.keep(path, b"after the backup")
        self.shelf.drop("a")
        self.shelf.journal.write(tidy=tidy)
        before = self.shelf.entries()
        self.shelf.restore_index()
        assert not self.shelf.rebuild().agreed
        assert self.shelf.entries() == before

    @invariant()
    def they_agree(self) -> None:
        assert self.shelf.agrees()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=5, stateful_step_count=8, deadline=None)

"""A process that ends at any moment loses nothing that the index had."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.service.hub import entry_of
from tests.service.journal.shelf import WEEK, Shelf
from virtreg.backends.store import LocalStore
from virtreg.core.layout import blob_key
from virtreg.errors import StorageError
from virtreg.service.rebuilding import Rebuilding

ROOT = Path(__file__).parents[3]

RUN = """
import sys
from pathlib import Path
from tests.service.hub import entry_of
from tests.service.journal.shelf import Shelf, WEEK
shelf = Shelf(Path(sys.argv[1]))
journal = shelf.journal
for number in range(1_000_000):
    shelf.keep(f"{number % 700}", b"%d" % number)
    if number % 5 == 0:
        shelf.drop(f"{(number * 7) % 700}")
    journal.write(tidy=True)
    print(number, flush=True)
    if number % 20 == 0:
        shelf.clock.advance(WEEK + 1)
"""


class Ending(LocalStore):
    """Does so many things to its notes, and nothing more."""

    left = 1_000_000

    def write_note(self, name: str, content: bytes) -> None:
        self._step()
        super().write_note(name, content)
        self._step()

    def remove_note(self, name: str) -> None:
        self._step()
        super().remove_note(name)

    def _step(self) -> None:
        if self.left <= 0:
            raise StorageError("the process ended")
        self.left -= 1


@pytest.fixture
def store(tmp_path: Path) -> Ending:
    return Ending(tmp_path / "files")


@pytest.fixture
def shelf(tmp_path: Path, store: Ending) -> Iterator[Shelf]:
    with closing(Shelf(tmp_path, store)) as shelf:
        yield shelf


def lived(shelf: Shelf) -> None:
    """Something of everything that is written."""
    for number in range(3):
        shelf.keep(f"{number}", b"%d" % number)
    shelf.journal.write(tidy=True)
    shelf.keep("0", b"changed")
    shelf.drop("1")
    shelf.journal.write()
    shelf.keep("later", b"later")


@pytest.mark.parametrize("steps", range(9))
def test_a_journal_that_ends_amid_writing_is_taken_up(
    shelf: Shelf, store: Ending, steps: int
) -> None:
    lived(shelf)
    shelf.clock.advance(WEEK + 1)
    before = shelf.entries()
    store.left = steps
    with suppress(StorageError):
        shelf.journal.write(tidy=True)
    assert store.left == 0
    store.left = 1_000_000
    assert shelf.agrees()
    shelf.clock.advance(61)
    shelf.journal.write()
    shelf.lose_index()
    shelf.rebuild()
    assert shelf.entries() == before


@pytest.mark.parametrize("steps", range(6))
def test_a_rebuild_that_ends_is_begun_again(shelf: Shelf, store: Ending, steps: int) -> None:
    lived(shelf)
    shelf.journal.write()
    before = shelf.entries()
    shelf.lose_index()
    newer = shelf.keep("newer", b"newer")
    store.left = steps
    with suppress(StorageError):
        Rebuilding(shelf.index, store, shelf.clock).run()
    assert store.left == 0
    store.left = 1_000_000
    shelf.clock.advance(61)
    shelf.rebuild()
    assert shelf.entries() == sorted([*before, newer], key=lambda entry: entry.path)
    assert shelf.agrees()
    shelf.journal.write()
    shelf.lose_index()
    shelf.rebuild()
    assert shelf.entries() == sorted([*before, newer], key=lambda entry: entry.path)


@pytest.mark.parametrize("lines", [3, 23, 60])
def test_a_process_that_is_killed_leaves_a_journal_of_all_it_told(
    tmp_path: Path, lines: int
) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline().strip().isdecimal()
        process.kill()
    with closing(Shelf(tmp_path)) as shelf:
        assert shelf.agrees()
        before = shelf.entries()
        assert before
        shelf.clock.advance(1e9)
        shelf.journal.write()
        shelf.lose_index()
        shelf.rebuild()
        assert shelf.entries() == before
        for entry in before:
            with shelf.store.open(blob_key(entry.sha256)) as body:
                assert body.size == entry.size


def test_what_the_index_got_and_nobody_wrote_down_is_written_by_the_next(shelf: Shelf) -> None:
    shelf.index.put([entry_of("central", "p", b"x")])
    shelf.back_up_index()  # as a process leaves it that is killed
    shelf.restore_index()
    assert shelf.journal.write() == 1

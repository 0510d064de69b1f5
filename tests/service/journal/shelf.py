"""An index and a folder of blobs with its journal, which can be lost apart."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from tests.service.hub import entry_of
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.store import LocalStore
from virtreg.core.journalling import Note, notes_of
from virtreg.core.layout import blob_key
from virtreg.model import Entry
from virtreg.service.agreement import Agreement
from virtreg.service.journal import Journal
from virtreg.service.rebuilding import Rebuilding, Rebuilt
from virtreg.testing.fakes import FakeClock

WEEK = 7 * 86_400.0


class Shelf:
    """In a folder that is new, or that a process has left. Close it after the test."""

    def __init__(self, folder: Path, store: LocalStore | None = None) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self._stack = ExitStack()
        self.store = store or LocalStore(folder / "files")
        self._stack.callback(self.store.close)
        if not (folder / "index").exists():
            open_index(folder / "new").close()
            shutil.copytree(folder / "new", folder / "index")
        self._open()

    @property
    def journal(self) -> Journal:
        """Of a process that begins now."""
        return Journal(self.index, self.store, self.clock)

    def agrees(self) -> bool:
        return Agreement(self.index, self.store).holds()

    def keep(self, path: str, content: bytes, source: str = "central") -> Entry:
        self.clock.advance(1)
        entry = entry_of(source, path, content, at=self.clock())
        self.store.put(blob_key(entry.sha256), content)
        self.index.put([entry])
        return entry

    def drop(self, path: str, source: str = "central") -> None:
        self.clock.advance(1)
        self.index.drop(source, path)

    def entries(self) -> list[Entry]:
        return self.index.everything(limit=100_000)

    def notes(self) -> list[Note]:
        return notes_of(self.store.notes())

    def lose_index(self) -> None:
        self.index.close()
        shutil.rmtree(self.folder / "index")
        shutil.copytree(self.folder / "new", self.folder / "index")
        self._open()

    def back_up_index(self) -> None:
        self.index.close()
        shutil.copytree(self.folder / "index", self.folder / "backup")
        self._open()

    def restore_index(self) -> None:
        self.index.close()
        shutil.rmtree(self.folder / "index")
        shutil.move(self.folder / "backup", self.folder / "index")
        self._open()

    def rebuild(self) -> Rebuilt:
        return Rebuilding(self.index, self.store, self.clock).run()

    def close(self) -> None:
        self.index.close()
        self._stack.close()

    def _open(self) -> None:
        self.index: SqlIndex = open_index(self.folder / "index")

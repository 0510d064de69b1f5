"""Notes in a local folder."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from virtreg.backends.store.disk import publish, sync_folder
from virtreg.backends.store.faults import disk_errors, require_note, require_short
from virtreg.core.layout import NOTES, is_note
from virtreg.errors import Missing


class FolderNotes(ABC):
    """The power Notes of a store in a folder that has the power Spools."""

    _root: Path

    @abstractmethod
    def spool(self) -> Path: ...

    def write_note(self, name: str, content: bytes) -> None:
        require_note(name)
        with disk_errors(f"write {name}"):
            descriptor, spooled = tempfile.mkstemp(dir=self.spool())
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                publish(Path(spooled), self._root / name)
            finally:
                Path(spooled).unlink(missing_ok=True)

    def read_note(self, name: str) -> bytes:
        require_note(name)
        with disk_errors(f"read {name}"):
            try:
                with (self._root / name).open("rb") as file:
                    require_short(name, os.fstat(file.fileno()).st_size)
                    return file.read()
            except FileNotFoundError:
                raise Missing(f"there is no note {name}") from None

    def notes(self) -> list[str]:
        with disk_errors("list notes"):
            try:
                names = [each.name for each in (self._root / NOTES).iterdir()]
            except FileNotFoundError:
                return []
        return sorted(name for each in names if is_note(name := NOTES + each))

    def remove_note(self, name: str) -> None:
        require_note(name)
        with disk_errors(f"remove {name}"):
            try:
                (self._root / name).unlink()
            except FileNotFoundError:
                return
            sync_folder(self._root / NOTES)

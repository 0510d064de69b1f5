"""Notes in a remote place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from virtreg.backends.store.faults import require_note, require_short
from virtreg.backends.store.places import Place
from virtreg.core.layout import NOTES, is_note
from virtreg.errors import Missing, StorageError

T = TypeVar("T")


class PlaceNotes(ABC):
    """The power Notes of a store in a Place."""

    @abstractmethod
    def _ask(self, action: str, ask: Callable[[Place], T]) -> T:
        """Raises StorageError, and FileNotFoundError for one object that is not there."""

    def write_note(self, name: str, content: bytes) -> None:
        require_note(name)
        self._ask(f"write {name}", lambda place: place.put(name, content))

    def read_note(self, name: str) -> bytes:
        require_note(name)

        def read(place: Place) -> tuple[int, bytes]:
            size = place.find(name).size
            require_short(name, size)
            return size, b"".join(place.read(name, 0, size, size))

        try:
            size, content = self._ask(f"read {name}", read)
        except FileNotFoundError as error:
            raise Missing(f"there is no note {name}") from error
        if len(content) != size:
            raise StorageError(f"cannot read {name}: it was written again meanwhile")
        return content

    def notes(self) -> Sequence[str]:
        found = self._ask("list notes", lambda place: place.objects(NOTES.rstrip("/")))
        return sorted(name for each in found if is_note(name := NOTES + each.name))

    def remove_note(self, name: str) -> None:
        require_note(name)
        try:
            self._ask(f"remove {name}", lambda place: place.remove(name))
        except FileNotFoundError:
            return

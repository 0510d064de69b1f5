"""Whether an index and the journal beside the blobs tell of one history.

The index remembers which note of the journal was written last and which comes next. An index that
was lost and begins anew, or that is restored from a backup, does not know of all the notes that are
there; and a place that does not hold the note that was written last is not where this index's blobs
are. Then an entry that the index does not have says nothing about its blob, and nothing may be
freed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from virtreg.core.journalling import Note, note_of, notes_of
from virtreg.errors import StorageError
from virtreg.protocols import CacheStore, EntryIndex, Journals, Notes

LOST = (
    "the index does not know of all that the journal beside the files tells: it was lost, or"
    " restored from a backup, or this is not where its files are; nothing is freed until `virtreg"
    " fsck --rebuild` has run"
)

_TRIES = 10


class Agreement:
    """Between an index and a store; always, where the one remembers no changes or the other keeps
    no notes. Thread-safe."""

    def __init__(self, index: EntryIndex, store: CacheStore) -> None:
        self._index = index if isinstance(index, Journals) else None
        self._store = store if isinstance(store, Notes) else None

    def holds(self) -> bool:
        """As it is now. Raises StorageError."""
        return self.notes() is not None

    def notes(self) -> Sequence[Note] | None:
        """The notes of the journal, oldest first; None when the index does not know them all.
        Raises StorageError."""
        if self._index is None or self._store is None:
            return []
        for _ in range(_TRIES):
            before = self._index.journal()
            names = self._store.notes()
            if self._index.journal() == before:
                return _known(names, *before)
        raise StorageError("the journal is written by several processes at once")


class Remembered:
    """An agreement that is asked for often, believed for a while. Thread-safe. ``clock`` gives
    seconds."""

    def __init__(
        self, agreement: Agreement, clock: Callable[[], float], seconds: float = 60.0
    ) -> None:
        self._agreement = agreement
        self._clock = clock
        self._seconds = seconds
        self._held = False
        self._asked_at = float("-inf")

    def holds(self) -> bool:
        """Raises StorageError."""
        now = self._clock()
        if not 0 <= now - self._asked_at < self._seconds:
            self._held = self._agreement.holds()
            self._asked_at = now
        return self._held


def _known(names: Sequence[str], head: str, following: str) -> Sequence[Note] | None:
    notes = notes_of(names)
    newest = max((each.stamp for each in map(note_of, (head, following)) if each), default=-1)
    if (head and head not in names) or (notes and notes[-1].stamp > newest):
        return None
    return notes

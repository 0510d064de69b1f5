"""Writing what changes in the index to a journal beside the blobs, so that an index can be made
again that was lost.

The index remembers what has changed in the transaction in which it does, and a thread of one
process of all writes that down a little later: no pull waits for it, and none fails with it. While
the store cannot be written to, the index goes on remembering. The notes of the journal are replaced
rather than changed, and a note is forgotten by nobody before what replaces it is there, so that a
process may end at any moment.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from virtreg.core.journalling import Gone, Note, Writing, note_of, records_of
from virtreg.errors import Missing, VirtregError
from virtreg.model import Entry
from virtreg.protocols import CacheStore, Change, EntryIndex, Journals, Notes
from virtreg.service.agreement import LOST, Agreement
from virtreg.service.checkpoints import latest, remove_older, torn_parts, write_checkpoint
from virtreg.service.eviction import Interrupted
from virtreg.service.leasing import Lease, LeaseLost

_log = logging.getLogger(__name__)

LEASE = "journal"

INTERVAL = 10.0
"""Seconds after which a change is written."""

TIDIED = 3600.0
"""Seconds after which it is looked again whether a checkpoint is due."""

_REST = 0.05
"""Seconds between two pages of a checkpoint: nobody waits for it."""

_CHANGES = 1000
"""Records of one note, as far as there are so many; a smaller one is replaced by the next."""

_FEWEST = 100_000
_MOST = 1_000_000
_NOTES = 3000
_WEEK = 7 * 86_400_000

_Records = dict[tuple[str, str], Entry | Gone]


class Journal:
    """Of one index and the store it is about; where the one remembers no changes or the other keeps
    no notes there is none. One process of all that share the index writes at a time. Thread-safe;
    ``close`` writes what is left, and stops the thread."""

    def __init__(self, index: EntryIndex, store: CacheStore, clock: Callable[[], float]) -> None:
        self._index = index
        self._store = store
        self._clock = clock
        self._agreement = Agreement(index, store)
        self._lease = Lease(index, LEASE, clock)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtreg-journal", daemon=True)
        self._writing = threading.Lock()
        self._last: tuple[Note, _Records] | None = None
        self._trouble = ""
        self._written_at = 0.0

    @property
    def trouble(self) -> str:
        """Why nothing is written, in a sentence; empty while all is well."""
        return self._trouble

    def start(self) -> None:
        if isinstance(self._index, Journals):
            self._thread.start()

    def look(self) -> bool:
        """Whether the index and the journal agree. Raises StorageError."""
        holds = self._agreement.holds()
        self._tell("" if holds else LOST)
        return holds

    def write(self, *, tidy: bool = False) -> int:
        """Write what has changed; how many entries that were. Nothing while another process writes,
        or while the index and the journal do not agree. ``tidy``: write a checkpoint too if one is
        due. Raises StorageError."""
        index, store = self._index, self._store
        if not isinstance(index, Journals):
            return 0
        with self._writing:
            if not isinstance(store, Notes):
                return _forget(index)
            if not (tidy or self._trouble or index.changes(limit=1)) or not self.look():
                return 0
            with self._lease.held() as taken:
                return self._write(index, store, tidy=tidy) if taken else 0

    def close(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
            self._attempt(self.write)

    def _write(self, index: Journals, store: Notes, *, tidy: bool) -> int:
        notes = self._agreement.notes()
        if notes is None:
            return 0
        total = self._drain(index, store, notes)
        if tidy and (notes := self._agreement.notes()) is not None and self._due(store, notes):
            self._checkpoint(index, store, notes)
        return total

    def _drain(self, index: Journals, store: Notes, notes: Sequence[Note]) -> int:
        total = 0
        self._written_at = self._clock()
        newest = notes[-1] if notes else None
        while some := index.changes(_CHANGES):
            self._lease.renew()
            total += len(some)
            newest = self._append(index, store, newest, some)
            if len(some) < _CHANGES:
                break
        return total

    def _append(
        self,
        index: Journals,
        store: Notes,
        newest: Note | None,
        some: Sequence[tuple[Change, Entry | None]],
    ) -> Note:
        """Write changes, together with those of the newest note if that is small."""
        replaced, records = self._small(store, newest)
        now = self._clock()
        for change, entry in some:
            key = (change.source, change.path)
            records[key] = Gone(*key, now) if entry is None else entry
        writing = Writing()
        for record in records.values():
            writing.add(record)
        note = self._next(index, newest, records=writing.records)
        index.intend(str(note))
        store.write_note(str(note), writing.content())
        index.journalled([change for change, _ in some], str(note))
        self._last = (note, records)
        if replaced is not None:
            store.remove_note(str(replaced))
        return note

    def _small(self, store: Notes, newest: Note | None) -> tuple[Note | None, _Records]:
        if newest is None or newest.records is None or newest.records >= _CHANGES:
            return None, {}
        if self._last is not None and self._last[0] == newest:
            return newest, self._last[1]
        try:
            found = records_of(store.read_note(str(newest)))
            records = list(islice(found, _CHANGES + 1))
        except (ValueError, Missing):
            return None, {}
        if len(records) > _CHANGES:
            return None, {}
        return newest, {(each.source, each.path): each for each in records}

    def _due(self, store: Notes, notes: Sequence[Note]) -> bool:
        checkpoint = latest(store, notes)
        if checkpoint is None:
            return True
        since = [each.records or 0 for each in notes if each.stamp > checkpoint.note.stamp]
        old = self._clock() * 1000 - checkpoint.note.stamp > _WEEK
        most = min(max(_FEWEST, checkpoint.entries // 4), _MOST)
        return sum(since) > most or len(since) > _NOTES or (old and bool(since))

    def _checkpoint(self, index: Journals, store: Notes, notes: Sequence[Note]) -> None:
        for torn in torn_parts(notes):
            store.remove_note(str(torn))
        note = self._next(index, notes[-1] if notes else None)
        index.intend(str(note))
        entries = write_checkpoint(index, store, note, lambda: self._between(index, store))
        known = self._agreement.notes()
        if known is None or not _is_whole(store, known, note):
            return
        if known[-1].stamp <= note.stamp:
            index.journalled([], str(note))
        remove_older(store, known, note)
        _log.info("wrote a checkpoint of the index beside the files: entries: %d", entries)

    def _between(self, index: Journals, store: Notes) -> None:
        """Of two pages of a checkpoint. Raises Interrupted and LeaseLost."""
        if self._stopping.wait(_REST):
            raise Interrupted
        self._lease.renew()
        if self._clock() - self._written_at >= INTERVAL:
            notes = self._agreement.notes()
            if notes is not None:
                self._drain(index, store, notes)

    @staticmethod
    def _stamps(index: Journals, newest: Note | None) -> Iterator[int]:
        """Of notes that are there, and of those that a writer who was suspended may yet write,
        with a clock of its own."""
        for note in (newest, *map(note_of, index.journal())):
            if note is not None:
                yield note.stamp

    def _next(self, index: Journals, newest: Note | None, records: int | None = None) -> Note:
        after = max(self._stamps(index, newest), default=-1)
        return Note(max(int(self._clock() * 1000), after + 1), secrets.token_hex(4), records)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            _log.error("%s", trouble)
        elif self._trouble and not trouble:
            _log.info("the journal of the index is written again")
        self._trouble = trouble

    def _run(self) -> None:
        tidied_at = float("-inf")
        self._attempt(self.look)
        while not self._stopping.wait(INTERVAL):
            now = self._clock()
            if 0 <= now - tidied_at < TIDIED:
                self._attempt(self.write)
            elif self._attempt(partial(self.write, tidy=True)):
                tidied_at = now

    def _attempt(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except (Interrupted, LeaseLost):
            return False
        except VirtregError as error:
            self._tell(f"the journal of the index cannot be written: {error.message}")
            return False
        except Exception:  # noqa: BLE001 - a plug-in's fault must not end the thread
            _log.warning("writing the journal failed", exc_info=True)
            return False
        return True


def _is_whole(store: Notes, notes: Sequence[Note], note: Note) -> bool:
    """Whether a checkpoint is all there: who took its writer for dead has removed what there was of
    it."""
    found = latest(store, notes)
    return found is not None and found.note.stamp >= note.stamp


def _forget(index: Journals) -> int:
    """What nobody will write need not be remembered."""
    total = 0
    while some := index.changes(_CHANGES):
        index.journalled([change for change, _ in some], "")
        total += len(some)
    return total

"""Making an index again from the journal beside the blobs.

A server may run meanwhile: what it puts into the index is newer and stays. What the journal tells
is compared with the blobs at the end; until then an entry without its blob is a miss.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define, field

from virtreg.core.journalling import Gone, Note, notes_of, records_of
from virtreg.errors import Conflict, Missing, StorageError
from virtreg.model import Entry
from virtreg.protocols import CacheStore, Inventory, Journals, Notes
from virtreg.service.agreement import Agreement
from virtreg.service.checkpoints import Checkpoint, latest, remove_older, write_checkpoint
from virtreg.service.consistency import Consistency
from virtreg.service.journal import LEASE
from virtreg.service.leasing import Lease

_AT_ONCE = 500


@define
class Rebuilt:
    """What was done so far."""

    agreed: bool = False
    """The index knew of all that the journal tells: nothing was done."""
    notes: int = 0
    """Notes of the journal that were read, of so many:"""
    of: int = 0
    taken: int = 0
    """Entries that the index has again."""
    removed: int = 0
    """Entries that the index had, of which the journal tells that they are no more."""
    without: int = 0
    """Entries whose blobs are not there, or of another size: they are not taken."""
    damaged: list[str] = field(factory=list)
    """Names of notes that cannot be read."""


class Rebuilding:
    """Of one index and the store it is about. Once, on one thread. It may be interrupted at any
    moment and begun again; memory is needed for some thousand entries, and some 100 bytes for each
    that was removed since the last checkpoint."""

    def __init__(
        self,
        index: Inventory,
        store: CacheStore,
        clock: Callable[[], float],
        progress: Callable[[Rebuilt], object] = lambda _rebuilt: None,
    ) -> None:
        if not isinstance(index, Journals) or not isinstance(store, Notes):
            raise StorageError("nothing can be made again: there is no journal in this store")
        self._index = index
        self._journals: Journals = index
        self._store = store
        self._notes: Notes = store
        self._clock = clock
        self._progress = progress
        self._lease = Lease(index, LEASE, clock)
        self._gone: dict[bytes, int] = {}
        """In which note, by number, an entry is told to be no more, last."""
        self._rebuilt = Rebuilt()

    def run(self) -> Rebuilt:
        """Take back every entry whose blob is there, and have the index and the journal agree.
        Raises Conflict while another process does or writes the journal, StorageError, and
        LeaseLost when this one was suspended for long."""
        if Agreement(self._index, self._store).holds():
            return Rebuilt(agreed=True)
        with self._lease.held() as taken:
            if not taken:
                raise Conflict(
                    "another process writes the journal or makes the index; try again in a minute"
                )
            notes = notes_of(self._notes.notes())
            self._replay(latest(self._notes, notes), notes)
            self._compare()
            self._adopt(notes)
        return self._rebuilt

    def _replay(self, checkpoint: Checkpoint | None, notes: Sequence[Note]) -> None:
        since = -1 if checkpoint is None else checkpoint.note.stamp
        parts = () if checkpoint is None else checkpoint.parts
        changes = [note for note in notes if note.records is not None and note.stamp > since]
        self._rebuilt.of = len(parts) + len(changes)
        for number, note in enumerate(changes):
            for record in self._read(note):
                if isinstance(record, Gone):
                    self._gone[_key(record)] = number
        existing = _Existing(self._journals)
        for note in parts:
            wanted = (entry for entry in self._read(note) if isinstance(entry, Entry))
            self._put(
                entry
                for entry in wanted
                if _key(entry) not in self._gone and _is_newer(entry, existing.get(entry))
            )
            self._read_one()
        for number, note in enumerate(changes):
            self._put(self._changed(number, note))
            self._read_one()

    def _changed(self, number: int, note: Note) -> Iterator[Entry]:
        for record in self._read(note):
            last = self._gone.get(_key(record), -1)
            if last > number:
                continue
            found = self._index.find(record.path, [record.source])
            existing = found[0] if found else None
            if isinstance(record, Entry):
                if _is_newer(record, existing):
                    yield record
            elif existing is not None and existing.created_at < record.at:
                self._rebuilt.removed += self._index.drop(record.source, record.path)

    def _put(self, entries: Iterable[Entry]) -> None:
        batch: list[Entry] = []
        for entry in entries:
            batch.append(entry)
            if len(batch) >= _AT_ONCE:
                self._put_batch(batch)
                batch = []
        self._put_batch(batch)

    def _put_batch(self, batch: Sequence[Entry]) -> None:
        self._lease.renew()
        self._index.put(batch)
        self._rebuilt.taken += len(batch)
        self._progress(self._rebuilt)

    def _read(self, note: Note) -> Iterator[Entry | Gone]:
        name = str(note)
        try:
            yield from records_of(self._notes.read_note(name))
        except (ValueError, Missing):
            if name not in self._rebuilt.damaged:
                self._rebuilt.damaged.append(name)

    def _read_one(self) -> None:
        self._rebuilt.notes += 1
        self._progress(self._rebuilt)

    def _compare(self) -> None:
        """Remove the entries whose bytes are not there; the next pull fetches them."""
        consistency = Consistency(self._index, self._store, self._clock)
        for finding in consistency.check(progress=lambda _checked: self._lease.renew()):
            if finding.kind in ("missing", "size"):
                consistency.repair(finding)
                self._rebuilt.without += 1
                self._progress(self._rebuilt)

    def _adopt(self, notes: Sequence[Note]) -> None:
        """Write down what there is now. Up to the last step, the index and the journal do not
        agree, and all this may be done again."""
        while some := self._journals.changes():
            self._lease.renew()
            self._journals.journalled([change for change, _ in some], "")
        stamp = max(int(self._clock() * 1000), notes[-1].stamp + 1 if notes else 0)
        note = Note(stamp, secrets.token_hex(4))
        write_checkpoint(self._journals, self._notes, note, self._lease.renew)
        self._journals.intend(str(note))
        self._journals.journalled([], str(note))
        remove_older(self._notes, notes, note)


class _Existing:
    """What the index has, for who asks in order of (path, source)."""

    def __init__(self, index: Journals) -> None:
        self._entries = _everything(index)
        self._next = next(self._entries, None)

    def get(self, wanted: Entry) -> Entry | None:
        key = (wanted.path, wanted.source)
        while self._next is not None and (self._next.path, self._next.source) < key:
            self._next = next(self._entries, None)
        found = self._next
        return found if found is not None and (found.path, found.source) == key else None


def _everything(index: Journals) -> Iterator[Entry]:
    after = ("", "")
    while page := index.everything(after):
        yield from page
        after = (page[-1].path, page[-1].source)


def _is_newer(entry: Entry, existing: Entry | None) -> bool:
    return existing is None or existing.created_at < entry.created_at


def _key(record: Entry | Gone) -> bytes:
    key = f"{record.source}\0{record.path}".encode()
    return hashlib.blake2b(key, digest_size=16).digest()

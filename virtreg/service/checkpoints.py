"""Writing down every entry, so that older notes of the journal are not needed any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from virtreg.core.journalling import Note, Writing, parts_of, whole
from virtreg.errors import Missing
from virtreg.model import Entry
from virtreg.protocols import Journals, Notes

PART = 100_000
"""Entries of one part."""

_PAGE = 1000


@frozen
class Checkpoint:
    """One that is all there."""

    note: Note
    parts: Sequence[Note]
    entries: int


def latest(store: Notes, notes: Sequence[Note]) -> Checkpoint | None:
    """The newest of the notes that is all there and not damaged. Raises StorageError."""
    for note in reversed(notes):
        if not note.whole:
            continue
        parts = {each.part: each for each in notes if _is_part(each, note)}
        try:
            count, entries = parts_of(store.read_note(str(note)))
        except (ValueError, Missing):
            continue
        if all(number in parts for number in range(count)):
            return Checkpoint(note, [parts[number] for number in range(count)], entries)
    return None


def write_checkpoint(
    index: Journals,
    store: Notes,
    note: Note,
    between: Callable[[], object],
    part: int = PART,
) -> int:
    """Write every entry of the index; ``note`` is the last that is written. With memory for some
    pages and one compressed part. ``between`` is called after each page; what it raises ends the
    work. The number of entries. Raises StorageError."""
    writing, parts, entries = Writing(), 0, 0
    after = ("", "")
    while page := index.everything(after, _PAGE):
        for entry in page:
            writing.add(entry)
            if writing.records >= part:
                _write(store, note, parts, writing)
                writing, parts, entries = Writing(), parts + 1, entries + writing.records
        after = _key(page[-1])
        between()
    if writing.records:
        _write(store, note, parts, writing)
        parts, entries = parts + 1, entries + writing.records
    store.write_note(str(note), whole(parts, entries))
    return entries


def torn_parts(notes: Sequence[Note]) -> Sequence[Note]:
    """Parts of checkpoints that were given up."""
    done = {(each.stamp, each.unique) for each in notes if each.whole}
    return [
        each for each in notes if each.part is not None and (each.stamp, each.unique) not in done
    ]


def remove_older(store: Notes, notes: Sequence[Note], than: Note) -> None:
    """Remove what a checkpoint makes needless: older checkpoints are none first of all. Raises
    StorageError."""
    for each in sorted(notes, key=lambda each: not each.whole):
        if each.stamp < than.stamp:
            store.remove_note(str(each))


def _write(store: Notes, note: Note, number: int, writing: Writing) -> None:
    store.write_note(str(Note(note.stamp, note.unique, part=number)), writing.content())


def _is_part(note: Note, of: Note) -> bool:
    return note.part is not None and (note.stamp, note.unique) == (of.stamp, of.unique)


def _key(entry: Entry) -> tuple[str, str]:
    return entry.path, entry.source

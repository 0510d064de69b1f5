"""The notes of the journal: what they are called, and what is in them.

The journal tells which entries there are, beside the blobs that they are about, so that an index
that is lost can be made again. It has two kinds of notes. ``changes`` say what became of some
entries; a checkpoint is parts that hold every entry as it was, and a note that says that they are
all there. The name of a note begins with a stamp, the milliseconds since the epoch at which it was
begun, and later notes have later stamps.

A note is JSON lines, compressed (RFC 1952). The first line names the fields; each further one has
their values for an entry, or, for an entry that is no more, its source, its path, and when that was
written. Every line is checked when it is read.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from attrs import field, fields, frozen

from virtreg.core.layout import NOTES
from virtreg.model import Entry

_VERSION = 1
_FIELDS = [field.name for field in fields(Entry)]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LEVEL = 5
_PIECE = 256 * 1024

_LONGEST_LINE = 1024 * 1024
_MOST_UNPACKED = 4 * 1024**3
_MOST_WHOLE = 4096
"""Bytes, unpacked: of a line, of a note, and of the note that says that all is there. Whoever may
write beside the blobs must not be able to fill the memory of who reads."""

_MOST = 2**63
_LATEST = 1e15
_DIGEST = re.compile(r"[0-9a-f]{0,128}")

_NAME = re.compile(
    re.escape(NOTES)
    + r"(?P<stamp>\d{15})-(?P<unique>[0-9a-f]{8})"
    + r"\.(?:(?P<records>\d{7})\.changes|(?P<part>\d{6})\.part|(?P<whole>whole))\.gz"
)


@frozen
class Gone:
    """An entry that is no more."""

    source: str
    path: str
    at: float


@frozen(order=True)
class Note:
    """What the name of a note tells."""

    stamp: int
    unique: str
    """Eight hex digits, the same for all notes of one checkpoint."""
    records: int | None = field(default=None, order=False)
    """How many are in a note of changes; None of others."""
    part: int | None = field(default=None, order=False)
    """Which part of a checkpoint it is, from 0; None of others."""

    @property
    def whole(self) -> bool:
        """Whether it says that a checkpoint is all there."""
        return self.records is None and self.part is None

    def __str__(self) -> str:
        if self.records is not None:
            kind = f"{self.records:07}.changes"
        elif self.part is not None:
            kind = f"{self.part:06}.part"
        else:
            kind = "whole"
        return f"{NOTES}{self.stamp:015}-{self.unique}.{kind}.gz"


def note_of(name: str) -> Note | None:
    """What a name tells; None for the name of no note of the journal."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    stamp, unique, records, part = match.group("stamp", "unique", "records", "part")
    return Note(
        int(stamp),
        unique,
        None if records is None else int(records),
        None if part is None else int(part),
    )


def notes_of(names: Iterable[str]) -> list[Note]:
    """Those of the journal, oldest first."""
    return sorted(note for name in names if (note := note_of(name)) is not None)


class Writing:
    """One note of entries, compressed as it grows: about 200 bytes for each. Not thread-safe."""

    def __init__(self) -> None:
        self._compressing = zlib.compressobj(_LEVEL, wbits=16 + zlib.MAX_WBITS)
        self._pieces: list[bytes] = []
        self.records = 0
        self._line({"journal": _VERSION, "fields": _FIELDS})

    def add(self, record: Entry | Gone) -> None:
        self.records += 1
        if isinstance(record, Gone):
            self._line([record.source, record.path, record.at])
        else:
            self._line([getattr(record, name) for name in _FIELDS])

    def content(self) -> bytes:
        """All of it; nothing more can be added."""
        self._pieces.append(self._compressing.flush())
        return b"".join(self._pieces)

    def _line(self, value: object) -> None:
        line = json.dumps(value, separators=(",", ":")) + "\n"
        self._pieces.append(self._compressing.compress(line.encode()))


def records_of(content: bytes) -> Iterator[Entry | Gone]:
    """What is in a note, as it is read. Raises ValueError for one that is damaged, before the first
    record, and for one of a kind that this version does not know."""
    unpacked = 0
    try:
        if not content:
            raise EOFError
        with gzip.GzipFile(fileobj=BytesIO(content)) as lines:
            # Its checksum comes last.
            while piece := lines.read(_PIECE):
                unpacked += len(piece)
                if unpacked > _MOST_UNPACKED:
                    raise ValueError("damaged: too long")
        with gzip.GzipFile(fileobj=BytesIO(content)) as lines:
            names = _names(json.loads(_line(lines)))
            while line := _line(lines):
                yield _record(json.loads(line), names)
    except (OSError, EOFError, zlib.error, RecursionError) as error:
        raise ValueError(f"damaged: {type(error).__name__}") from error


def whole(parts: int, entries: int) -> bytes:
    """The content of the note that says that a checkpoint is all there."""
    return gzip.compress(json.dumps({"parts": parts, "entries": entries}).encode(), mtime=0)


def parts_of(content: bytes) -> tuple[int, int]:
    """How many parts and entries a checkpoint has. Raises ValueError."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as file:
            unpacked = file.read(_MOST_WHOLE)
            if file.read(1):
                raise ValueError("damaged: too long")
        told = json.loads(unpacked)
        return _number(told["parts"]), _number(told["entries"])
    except (OSError, EOFError, KeyError, TypeError, zlib.error, RecursionError) as error:
        raise ValueError(f"damaged: {type(error).__name__}") from error


def _line(lines: gzip.GzipFile) -> bytes:
    """Nothing at the end."""
    line = lines.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise ValueError("damaged: a line is too long")
    return line


def _names(head: Any) -> list[str]:
    if not isinstance(head, dict) or head.get("journal") != _VERSION:
        raise ValueError("not a note of the journal, or one of a newer version")
    names = head.get("fields")
    if (
        not isinstance(names, list)
        or not all(isinstance(name, str) for name in names)
        or not set(_FIELDS) <= set(names)
    ):
        raise ValueError("the fields of an entry are not all there")
    return names


def _record(values: Any, names: list[str]) -> Entry | Gone:
    if not isinstance(values, list):
        raise ValueError("not a record")
    if len(values) == 3:
        source, path, at = values
        return Gone(_text(source), _text(path), _time(at))
    return _entry(dict(zip(names, values, strict=True)))


def _entry(told: Mapping[str, Any]) -> Entry:
    sha256 = _text(told["sha256"])
    if _SHA256.fullmatch(sha256) is None:
        raise ValueError("not a digest")
    return Entry(
        source=_text(told["source"]),
        path=_text(told["path"]),
        sha256=sha256,
        size=_number(told["size"]),
        sha1=_digest(told["sha1"]),
        md5=_digest(told["md5"]),
        sha512=_digest(told["sha512"]),
        content_type=_text_or_none(told["content_type"]),
        etag=_text_or_none(told["etag"]),
        last_modified=_text_or_none(told["last_modified"]),
        created_at=_time(told["created_at"]),
        checked_at=_time(told["checked_at"]),
        parts=_text(told["parts"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode()
    if "\0" in value:
        raise ValueError("text with a NUL character")
    return value


def _digest(value: object) -> str:
    """Hex, or empty where it is not known: it is told to clients."""
    if _DIGEST.fullmatch(_text(value)) is None:
        raise ValueError("not a digest")
    return str(value)


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError("not a number")
    return value


def _time(value: object) -> float:
    # Neither infinite nor no number, which JSON of Python's may be.
    if not isinstance(value, int | float) or not 0 <= value < _LATEST or value is True:
        raise ValueError("not a time")
    return float(value)

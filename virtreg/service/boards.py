"""What the leader of a flight tells the other processes of its node: a small file.

A record at its start says how far the download is; behind it stand notes, such as the description
of what arrives. The leader holds a lock (flock) on the file, which the kernel gives back however
the process ends: a board without a lock whose record does not say that the flight has ended was
a dead leader's.

Records are written and read in one piece and carry a checksum: a torn one is read again.
"""

from __future__ import annotations

import enum
import errno
import fcntl
import os
import stat
import struct
import zlib
from pathlib import Path

from attrs import frozen

_RECORD = struct.Struct("<BQQI")
_CHECKSUM = struct.Struct("<I")
_LENGTH = _RECORD.size + _CHECKSUM.size
_NOTES = 64
"""Where notes begin."""
_MOST_NOTED = 1024 * 1024


class Stage(enum.IntEnum):
    """How far a flight is."""

    ASKING = 0
    """Nothing to read yet."""
    ARRIVING = 1
    """The note describes what arrives; bytes up to ``visible`` may be read."""
    PROVED = 2
    """``visible`` is the end."""
    LANDED = 3
    """Over. The note is the entry, where something arrived."""
    FAILED = 4
    """Over. The note is the error."""


@frozen
class Record:
    """What a board says at one moment; numbers of bytes."""

    stage: Stage = Stage.ASKING
    visible: int = 0
    note_at: int = 0
    note_length: int = 0

    @property
    def over(self) -> bool:
        return self.stage in (Stage.LANDED, Stage.FAILED)


class Board:
    """An open board. What it is asked raises OSError. Not thread-safe."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._record = Record()
        self._end = _NOTES

    def lock(self) -> bool:
        """Whether nobody else holds it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @property
    def identity(self) -> int:
        """Of the file, among those of its folder."""
        return os.fstat(self._descriptor).st_ino

    @property
    def linked(self) -> bool:
        """Whether it is still at its path: a leader who ends takes it away."""
        return os.fstat(self._descriptor).st_nlink > 0

    @property
    def usable(self) -> bool:
        """Whether it is at its path and nothing stands on it."""
        status = os.fstat(self._descriptor)
        return status.st_nlink > 0 and status.st_size == 0

    def write(self, stage: Stage, visible: int, note: bytes | None = None) -> None:
        """What is so from now on; without a ``note`` the last one stays."""
        at, length = self._record.note_at, self._record.note_length
        if note is not None:
            at, length = self._end, len(note)
            self._written(note, at)
            self._end += length
        self._record = Record(stage, visible, at, length)
        packed = _RECORD.pack(stage, visible, at, length)
        self._written(packed + _CHECKSUM.pack(zlib.crc32(packed)), 0)

    def read(self) -> Record:
        """The record as it is now."""
        found = os.pread(self._descriptor, _LENGTH, 0)
        packed, checksum = found[: _RECORD.size], found[_RECORD.size :]
        if len(found) == _LENGTH and checksum == _CHECKSUM.pack(zlib.crc32(packed)):
            stage, visible, at, length = _RECORD.unpack(packed)
            self._record = Record(Stage(stage), visible, at, length)
        return self._record

    def note(self, record: Record) -> bytes:
        length = min(record.note_length, _MOST_NOTED)
        return os.pread(self._descriptor, length, record.note_at)

    def remove(self) -> None:
        """Take it from its path; for whoever holds the lock."""
        if self.linked:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Gives the lock back."""
        os.close(self._descriptor)

    def _written(self, data: bytes, at: int) -> None:
        if os.pwrite(self._descriptor, data, at) != len(data):
            raise OSError("a board was not written whole")


def open_board(path: Path) -> Board:
    """The board at a path, made when there is none. Raises OSError, also for what is a link to
    something else, or no file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a file")
    return Board(path, descriptor)

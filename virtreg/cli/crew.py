"""What the workers of one server share: who speaks for all of them, and what each has done.

All of it is in a file without a name that they inherit. Its locks (POSIX record locks) belong to a
process and end with it, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from collections.abc import Mapping
from enum import IntEnum
from multiprocessing.reduction import DupFd
from typing import Any

_FIGURES = ("requests", "hits", "misses", "bytes", "active")
_SEAT = struct.Struct(f"<{len(_FIGURES)}q")
_SPEAKING = 16
"""The byte that whoever speaks for all holds the lock of."""
_SEATS = 64
"""Where the figures begin."""


class Once(IntEnum):
    """What is said once, whoever has it to say."""

    BANNER = 0
    FAILURE = 1
    END = 2
    """That the server ends because one of them could not start."""


class Crew:
    """The file as one process has it open. ``workers`` may be twice as many for a moment, while
    the next ones take over."""

    def __init__(self, workers: int) -> None:
        self._seats = 2 * workers
        with tempfile.TemporaryFile() as file:
            self._descriptor = os.dup(file.fileno())
        os.ftruncate(self._descriptor, _SEATS + self._seats * _SEAT.size)
        self._seat: int | None = None
        self._before = [0] * len(_FIGURES)

    def __getstate__(self) -> tuple[int, object]:
        return self._seats, DupFd(self._descriptor)

    def __setstate__(self, state: tuple[int, Any]) -> None:
        self._seats, passed = state
        self._descriptor = passed.detach()
        self._seat = None
        self._before = [0] * len(_FIGURES)

    def first(self, what: Once) -> bool:
        """Whether nobody else has said it yet; the caller does then."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, what)
        try:
            said = self.said(what)
            os.pwrite(self._descriptor, b"1", what)
            return not said
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, what)

    def said(self, what: Once) -> bool:
        """Whether somebody has said it."""
        return os.pread(self._descriptor, 1, what) == b"1"

    def unsaid(self, what: Once) -> None:
        """It may be said again."""
        os.pwrite(self._descriptor, b"0", what)

    def speak(self) -> bool:
        """Whether this process speaks for all, from now on until it ends."""
        return self._lock(_SPEAKING)

    def tell(self, figures: Mapping[str, int]) -> Mapping[str, int]:
        """Write down what this process has done since its start; what all have done since the
        server's. What a worker did that is gone counts, but for what it had active."""
        if self._seat is None:
            self._sit()
        mine = [figures.get(name, 0) for name in _FIGURES]
        if self._seat is not None:
            mine = [before + now for before, now in zip(self._before, mine, strict=True)]
            os.pwrite(self._descriptor, _SEAT.pack(*mine), self._at(self._seat))
        rows = [self._row(seat) for seat in range(self._seats) if seat != self._seat]
        sums = [sum(column) for column in zip(mine, *rows, strict=True)]
        return dict(zip(_FIGURES, sums, strict=True))

    def _sit(self) -> None:
        for seat in range(self._seats):
            if self._lock(self._at(seat)):
                self._seat = seat
                *totals, _active = self._row(seat)
                self._before = [*totals, 0]
                return

    def _row(self, seat: int) -> tuple[int, ...]:
        return _SEAT.unpack(os.pread(self._descriptor, _SEAT.size, self._at(seat)))

    def _at(self, seat: int) -> int:
        return _SEATS + seat * _SEAT.size

    def _lock(self, at: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
        except (BlockingIOError, PermissionError):
            return False
        return True

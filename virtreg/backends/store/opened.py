"""A body that is one open file, read by position."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from threading import Lock

from virtreg.backends.store.body import PIECE, bounds
from virtreg.backends.store.faults import disk_errors
from virtreg.errors import StorageError
from virtreg.protocols import Body


class OpenBody(Body):
    """Owns a descriptor of a file with ``size`` bytes; safe from any thread. ``name`` is what
    messages call it.

    The descriptor is given back when the body is closed and no read is under way, so that a read
    can never meet another file that got the same descriptor number.
    """

    def __init__(self, descriptor: int, size: int, name: str) -> None:
        self._descriptor = descriptor
        self._size = size
        self._name = name
        self._lock = Lock()
        self._reads = 0
        self._closed = False

    @property
    def size(self) -> int:
        return self._size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        at, end = bounds(self._size, start, stop)
        self._enter()
        try:
            while at < end:
                with disk_errors(f"read {self._name}"):
                    piece = os.pread(self._descriptor, min(PIECE, end - at), at)
                if not piece:
                    raise StorageError(f"cannot read {self._name}: the file became shorter")
                at += len(piece)
                yield piece
        finally:
            self._leave()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._release()

    def _enter(self) -> None:
        with self._lock:
            if self._closed:
                raise StorageError(f"cannot read {self._name}: the body is closed")
            self._reads += 1

    def _leave(self) -> None:
        with self._lock:
            self._reads -= 1
            self._release()

    def _release(self) -> None:
        if self._closed and self._reads == 0 and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        if self._descriptor >= 0:
            warnings.warn(f"unclosed body {self._name}", ResourceWarning, source=self, stacklevel=2)
            os.close(self._descriptor)

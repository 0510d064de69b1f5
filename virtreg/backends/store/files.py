"""A body that is one regular file, read by position."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from virtreg.backends.store.body import PIECE, bounds
from virtreg.backends.store.faults import disk_errors
from virtreg.errors import Missing, StorageError
from virtreg.protocols import Body


class FileBody(Body):
    """An open file; safe from any thread. ``key`` only names it in messages.

    The descriptor is given back when the body is closed and no read is under way, so that a read
    can never meet another file that got the same descriptor number.

    Raises Missing when there is no file at ``path``, StorageError when it cannot be opened.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._descriptor = -1
        self._path = path
        self._key = key
        self._lock = Lock()
        self._reads = 0
        self._closed = False
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Missing(f"the store does not hold {key}") from error
        except OSError as error:
            raise StorageError(f"cannot open {key}: {error.strerror}") from error
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise StorageError(f"cannot open {key}: not a regular file")
        self._size = status.st_size

    @property
    def size(self) -> int:
        return self._size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        at, end = bounds(self._size, start, stop)
        self._enter()
        try:
            while at < end:
                with disk_errors(f"read {self._key}"):
                    piece = os.pread(self._descriptor, min(PIECE, end - at), at)
                if not piece:
                    raise StorageError(f"cannot read {self._key}: the file became shorter")
                at += len(piece)
                yield piece
        finally:
            self._leave()

    def file(self) -> BinaryIO:
        """The same file with a position of its own, even when its name is gone by now."""
        self._enter()
        try:
            with disk_errors(f"open {self._key}"):
                try:
                    return self._path.open("rb")
                except FileNotFoundError:
                    # A duplicated descriptor would share its position; Linux can reopen it.
                    return Path(f"/proc/self/fd/{self._descriptor}").open("rb")
        finally:
            self._leave()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._release()

    def _enter(self) -> None:
        with self._lock:
            if self._closed:
                raise StorageError(f"cannot read {self._key}: the body is closed")
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
            warnings.warn(f"unclosed body {self._key}", ResourceWarning, source=self, stacklevel=2)
            os.close(self._descriptor)

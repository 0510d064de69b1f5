"""A download on its way: one writer appends to a file, any number of readers follow it.

Readers see bytes as they arrive, but the piece that arrived last only once another follows or the
whole body is proved, so that nobody ever receives a complete body that turns out to be wrong.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from virtreg.errors import Missing, SpoolFull, StorageError, VirtregError
from virtreg.protocols import Body

PIECE = 256 * 1024
"""Bytes handed out at a time: the best trade of CPU per byte against memory per transfer."""

LEAP = 8 * 1024 * 1024
"""Bytes that a reader waits for: one that begins further ahead gets them past the spool."""

Ahead = Callable[[int, int], Generator[bytes, None, None]]
"""Gives the bytes ``start <= i < stop`` from elsewhere, or as many as it can."""

Report = Callable[[int, bool], None]
"""Is told up to where readers may read, and whether that is the proved end."""

_WORTH_WAKING = 1024 * 1024

_RECENT = 4 * 1024 * 1024
"""Bytes kept in memory: who keeps up with a download is spared reading the file back."""


class Growing:
    """The readers' side of a file that a download is written to. Thread-safe."""

    def __init__(self, path: Path, descriptor: int, size: int | None) -> None:
        self.path = path
        self.size = size
        self._descriptor = descriptor
        self._grown = threading.Condition(threading.Lock())
        self._held_from = 0
        """Where the last piece begins: kept from readers while it may be the end."""
        self._recent: deque[tuple[int, bytes]] = deque()
        self._proved = False
        self._closed = False
        self._error: VirtregError | None = None

    @property
    def failed(self) -> bool:
        """Whether the body will never be whole."""
        return self._error is not None

    def fail(self, error: VirtregError) -> None:
        """The body will never be whole: readers get this error instead of its end."""
        with self._grown:
            self._error = error
            self._grown.notify_all()

    def past(self, offset: int) -> tuple[int, list[bytes]]:
        """Wait until a client may have bytes past ``offset``: those in the file up to the first
        result, and then the pieces of the second. Nothing of either at the true end.

        Raises the writer's error.
        """
        with self._grown:
            while True:
                if self._error is not None:
                    raise self._error
                visible = self._end if self._proved else self._held_from
                if visible > offset or self._proved:
                    return self._past(offset, max(visible, offset))
                self._grown.wait()

    def far_from(self, offset: int) -> bool:
        """Whether more than LEAP bytes before ``offset`` are still to come."""
        with self._grown:
            return self._error is None and offset - self._held_from > LEAP

    def raise_failure(self) -> None:
        """Raise the writer's error, if it had one."""
        if self._error is not None:
            raise self._error

    def descriptor(self) -> int:
        """A descriptor of the file for one reader, who closes it. Raises Missing when the writer
        is done with the file: the number may already be another file's."""
        with self._grown:
            if self._closed:
                raise Missing("the download is over")
            return os.dup(self._descriptor)

    def close(self) -> None:
        """The writer is done with the file; readers keep theirs."""
        with self._grown:
            self._closed = True
            os.close(self._descriptor)

    @property
    def _end(self) -> int:
        """Of a proved body."""
        return self._held_from

    def _past(self, offset: int, visible: int) -> tuple[int, list[bytes]]:
        recent = [
            (at, data) for at, data in self._recent if at >= offset and at + len(data) <= visible
        ]
        return (recent[0][0] if recent else visible), [data for _, data in recent]


class Spool(Growing):
    """The file of one download. ``append``, ``complete``, ``prove`` and ``fail`` are the writer's
    and come from one thread; ``body`` and ``wait_complete`` are for any thread."""

    def __init__(self, path: Path, size: int | None) -> None:
        """Raises SpoolFull when no file can be made."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SpoolFull(f"cannot write to the spool folder: {error.strerror}") from error
        super().__init__(path, descriptor, size)
        self._written = 0
        self._complete = False
        self._report: Report | None = None

    @property
    def written(self) -> int:
        return self._written

    def report_to(self, report: Report) -> None:
        """Tell from now on, and at once, how far readers may read."""
        with self._grown:
            self._report = report
            self._tell()

    def append(self, data: bytes) -> None:
        """Raises SpoolFull when the disk does not take it."""
        if not data:
            return  # a piece has bytes: readers take none for the end
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise SpoolFull(f"cannot write to the spool folder: {error.strerror}") from error
        with self._grown:
            self._recent.append((self._written, data))
            self._held_from = self._written
            self._written += len(data)
            while self._recent[0][0] < self._written - _RECENT:
                self._recent.popleft()
            self._tell()
            self._grown.notify_all()

    def complete(self) -> None:
        """Every byte is here, unless what seemed to be the end was none."""
        with self._grown:
            self._complete = True
            self._grown.notify_all()

    def prove(self) -> None:
        """The body is what it must be: readers may have its end, and know its size."""
        with self._grown:
            self._proved = True
            self.size = self._written
            self._tell()
            self._grown.notify_all()

    def read_back(self, offset: int, limit: int) -> bytes:
        """Bytes already written, proved or not, for digesting and comparing."""
        return os.pread(self._descriptor, limit, offset)

    def follow(self) -> Iterator[bytes | memoryview]:
        """Every byte as it is written, ending when the body is complete; for digests.

        Pieces are good until the next is asked for. Raises the writer's error. Not for clients:
        nothing is held back.
        """
        buffer = memoryview(bytearray(PIECE))
        offset = 0
        while True:
            with self._grown:
                # Waking is worth it for a good piece only.
                while not (
                    self._error or self._complete or self._written - offset >= _WORTH_WAKING
                ):
                    self._grown.wait()
                if self._error is not None:
                    raise self._error
                upto, recent = self._past(offset, self._written)
            if upto == offset and not recent:
                return
            while offset < upto:
                length = os.preadv(self._descriptor, [buffer[: min(PIECE, upto - offset)]], offset)
                if not length:
                    raise _ended_early()
                offset += length
                yield buffer[:length]
            for data in recent:
                offset += len(data)
                yield data

    @property
    def _end(self) -> int:
        return self._written

    def _tell(self) -> None:
        if self._report is not None:
            self._report(self._written if self._proved else self._held_from, self._proved)


class SpoolBody(Body):
    """A reader of a spool, which follows the file, unless it begins so far ahead of it that
    waiting is worse than another request: then ``ahead`` is asked, once for each read, and the
    rest of what it does not deliver is waited for.

    A read from the start is proved before its last byte leaves. One of a range is not while the
    download is running, whether it comes out of the file or from ahead of it; it ends, with the
    reason, as soon as the body is known to be wrong.
    """

    def __init__(self, spool: Growing, ahead: Ahead | None = None) -> None:
        self._spool = spool
        self._ahead = ahead
        self._descriptor: int | None = spool.descriptor()

    @property
    def size(self) -> int | None:
        return self._spool.size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if self._descriptor is None:
            raise ValueError("the body is closed")
        offset = start
        if self._ahead is not None and (end := self._leap_to(start, stop)) is not None:
            stop = end
            with closing(self._ahead(start, end)) as pieces:
                for piece in pieces:
                    self._spool.raise_failure()
                    offset += len(piece)
                    yield piece
        while stop is None or offset < stop:
            upto, recent = self._spool.past(offset)
            if upto == offset and not recent:
                return
            end = upto if stop is None else min(upto, stop)
            while offset < end:
                data = os.pread(self._descriptor, min(PIECE, end - offset), offset)
                if not data:
                    raise _ended_early()
                offset += len(data)
                yield data
            for piece in recent:
                wanted = piece if stop is None else piece[: max(0, stop - offset)]
                offset += len(wanted)
                if wanted:
                    yield wanted

    def read_back(self, offset: int, limit: int) -> bytes:
        """Bytes that the file has had, whatever has become of the download."""
        if self._descriptor is None:
            raise ValueError("the body is closed")
        return os.pread(self._descriptor, limit, offset)

    def _leap_to(self, start: int, stop: int | None) -> int | None:
        """Where bytes that are worth a leap end; None for following the file."""
        size = self._spool.size
        if size is None or not self._spool.far_from(start):
            return None
        end = size if stop is None else min(stop, size)
        return end if start < end else None

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _ended_early() -> StorageError:
    return StorageError("the spool file ended before the download did")

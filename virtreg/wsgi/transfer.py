"""From a body and a decision to the iterable a WSGI server sends (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Self

from virtreg.core.conditional import Full, Partial
from virtreg.core.multipart import MultipartPlan
from virtreg.errors import StorageError
from virtreg.protocols import Body, HasFile

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

BLOCK = 262144
"""Bytes a file wrapper reads at a time where the server does not hand the file to the kernel."""

FileWrapper = Callable[[BinaryIO, int], Iterable[bytes]]
"""A server's ``wsgi.file_wrapper``: takes an open file and a block size, and closes the file."""

Segment = tuple[bytes, int, int | None]
"""Bytes to send first, then the body's ``start <= i < stop``, to its end when None."""


class Transfer:
    """Sends the bytes promised for one answer, no more and no fewer, then closes the body.

    The promise is ``body.size`` for Full (None: whatever there is), the length of the one range
    for Partial, and ``MultipartPlan.length``. When the body ends short, gives too much or fails,
    the error passes through, so that the server cuts the connection instead of ending the answer.
    The body is closed exactly once: at the end, at an error, or by :meth:`close`, which a server
    calls in any case. Used by one thread at a time.

    Raises ValueError for a Partial of several ranges: those go as a MultipartPlan.
    """

    __slots__ = ("_body", "_closed", "_first", "_pieces")

    def __init__(self, body: Body, answer: Full | Partial | MultipartPlan) -> None:
        self._body = body
        self._closed = False
        self._first: bytes | None = None
        segments, closing = _segments(body, answer)
        self._pieces = _pieces(body, segments, closing)

    def __iter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Wait for the first piece: while no header has left, a body that fails before it can
        still be told with a status. Raises what the body raises."""
        self._first = next(self, None)

    def __next__(self) -> bytes:
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._pieces.close()
        finally:
            self._body.close()


def transfer(
    body: Body,
    answer: Full | Partial | MultipartPlan,
    *,
    head: bool = False,
    file_wrapper: FileWrapper | None = None,
) -> Iterable[bytes]:
    """What a WSGI application returns for ``body``; owns the body from now on.

    ``head``: nothing is sent and the body is closed at once. ``file_wrapper`` is the server's
    ``wsgi.file_wrapper``, given only where it is worth using; it takes over when the whole body is
    one file.
    """
    if head:
        body.close()
        return ()
    if file_wrapper is not None and isinstance(answer, Full) and isinstance(body, HasFile):
        try:
            file = body.file()
        finally:
            body.close()
        return file_wrapper(file, BLOCK)
    return Transfer(body, answer)


def sendfile(environ: WSGIEnvironment) -> FileWrapper | None:
    """The server's file wrapper where it is a real sendfile; elsewhere our own pieces are
    larger, and so faster, than the usual 8 KiB."""
    software = environ.get("SERVER_SOFTWARE", "")
    if software.startswith("gunicorn") or "uwsgi.version" in environ:
        wrapper: FileWrapper | None = environ.get("wsgi.file_wrapper")
        return wrapper
    return None


def _segments(
    body: Body, answer: Full | Partial | MultipartPlan
) -> tuple[Sequence[Segment], bytes]:
    if isinstance(answer, MultipartPlan):
        return answer.parts, answer.closing
    if isinstance(answer, Full):
        return ((b"", 0, body.size),), b""
    if len(answer.ranges) != 1:
        raise ValueError("answer: several ranges must be planned as multipart first")
    start, stop = answer.ranges[0]
    return ((b"", start, stop),), b""


def _pieces(
    body: Body, segments: Sequence[Segment], closing: bytes
) -> Generator[bytes, None, None]:
    for preamble, start, stop in segments:
        if preamble:
            yield preamble
        yield from _exactly(body.read(start, stop), start, stop)
    if closing:
        yield closing


def _exactly(pieces: Iterator[bytes], start: int, stop: int | None) -> Iterator[bytes]:
    at = start
    for piece in pieces:
        at += len(piece)
        if stop is not None and at > stop:
            break
        # Some servers take an empty piece for the end of the answer.
        if piece:
            yield piece
    # The reader ends before the error is raised, whose traceback would keep it open.
    del pieces
    if stop is not None and at != stop:
        raise StorageError(f"the body gave bytes up to {at} where {stop} was promised")

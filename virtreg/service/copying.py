"""A copy of a remote blob on its way, and the body of who reads it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final, Protocol

from virtreg.errors import Missing, StorageError, VirtregError
from virtreg.protocols import Body
from virtreg.service.bodies import BytesBody
from virtreg.service.spool import Spool, SpoolBody

SMALL: Final = 256 * 1024
"""Bytes of a blob that is read whole, by each who wants it, before anything is given out."""


class NotTaken(StorageError):
    """The disk here did not take a copy. Internal: the remote store has the bytes."""


class Fill:
    """The file of one copy. ``run`` and ``close`` are one thread's, the rest is for any."""

    def __init__(self, path: Path, size: int, open_remote: Callable[[], Body]) -> None:
        """Raises OSError."""
        self.path = path
        self._open = open_remote
        self._spool = Spool(path, size)
        self._stopped = False
        self.refused = False
        """Whether the disk did not take it."""

    @property
    def failed(self) -> bool:
        return self._spool.failed

    def reader(self) -> Body:
        """Follows the file; parts far ahead of it are read from the remote store. Raises Missing
        when the file has been closed."""
        return SpoolBody(self._spool, self._ahead)

    def run(self) -> bool:
        """Fetch it; whether it is whole, and proved. Else readers are told why."""
        try:
            with self._open() as body:
                for piece in body.read():
                    self._append(piece)
            self._spool.complete()
            self._spool.prove()
        except VirtregError as error:
            self._spool.fail(error)
        except Exception as error:  # noqa: BLE001 - readers wait for it
            self._spool.fail(StorageError(f"a copy failed: {type(error).__name__}"))
        return not self._spool.failed

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._spool.close()
        self.path.unlink(missing_ok=True)

    def _append(self, piece: bytes) -> None:
        if self._stopped:
            raise NotTaken("the copy was given up")
        try:
            self._spool.append(piece)
        except StorageError as error:
            self.refused = True
            raise NotTaken(error.message) from error

    def _ahead(self, start: int, stop: int) -> Generator[bytes, None, None]:
        with self._open() as body:
            yield from body.read(start, stop)


class Copier(Protocol):
    """Who makes copies."""

    def begin(self, key: str, size: int) -> Body | None:
        """The copy, or a reader of the one that is on its way, which begins now if need be; None
        where the remote store must be read past it. Raises Missing and StorageError."""
        ...

    def straight(self, key: str, size: int) -> Body:
        """The remote store's own body."""
        ...

    def keep(self, key: str, content: bytes) -> None:
        """Have a copy of what is proved, if the disk takes it."""
        ...


class CopiedBody(Body):
    """A blob of which there is no copy yet, with the power Defers. Thread-safe."""

    def __init__(self, copies: Copier, key: str, size: int) -> None:
        self._copies = copies
        self._key = key
        self._size = size
        self._asked = False
        self._opened: list[Body] = []
        self._small: BytesBody | None = None

    @property
    def size(self) -> int:
        return self._size

    def deferred(self) -> bool:
        return not self._asked

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        self._asked = True
        if self._size <= SMALL:
            yield from self._whole().read(start, stop)
            return
        body = self._copies.begin(self._key, self._size)
        if body is None:
            yield from self._straight(start, stop)
            return
        self._opened.append(body)
        at = start
        try:
            for piece in body.read(start, stop):
                at += len(piece)
                yield piece
        except NotTaken:
            assert isinstance(body, SpoolBody)
            yield from self._rest(body, start, at, stop)

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def _whole(self) -> BytesBody:
        small = self._small
        if small is None:
            copy = self._copies.begin(self._key, self._size)
            with copy or self._copies.straight(self._key, self._size) as body:
                content = b"".join(body.read())
            if copy is None:
                self._copies.keep(self._key, content)
            self._small = small = BytesBody(content)
        return small

    def _straight(self, start: int, stop: int | None) -> Iterator[bytes]:
        with self._copies.straight(self._key, self._size) as body:
            yield from body.read(start, stop)

    def _rest(self, copy: SpoolBody, start: int, at: int, stop: int | None) -> Iterator[bytes]:
        """From where the copy ended. A body that has begun is proved by comparing what went out
        with the same bytes of the whole, which proves itself."""
        if start or (stop is not None and stop < self._size):
            yield from self._straight(at, stop)
            return
        offset = 0
        for piece in self._straight(0, None):
            sent = piece[: max(0, at - offset)]
            if sent and copy.read_back(offset, len(sent)) != sent:
                raise Missing(f"the store gave two kinds of bytes as {self._key}")
            offset += len(piece)
            if len(piece) > len(sent):
                yield piece[len(sent) :]

"""A body in a remote store: asked for when somebody reads, and proved by its key."""

from __future__ import annotations

import hashlib
import weakref
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from threading import Lock
from typing import Final

from virtreg.backends.store.body import PIECE, bounds, pieces
from virtreg.core.layout import sha256_of
from virtreg.errors import Missing, StorageError
from virtreg.protocols import Body

SMALL: Final = 256 * 1024
"""Bytes of a body that is read whole, whatever part of it is asked for, and kept until closed."""

Source = Callable[[str, int, int, int], Generator[bytes, None, None]]
"""Gives the bytes ``start <= i < stop`` of the object at a key that should have that many bytes
(``key, start, stop, size``), or fewer where it does not have them. Raises Missing and
StorageError."""


class Bodies:
    """Which keys are being read. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        return key in self._open

    def begin(self, key: str) -> None:
        with self._lock:
            self._open[key] += 1

    def end(self, key: str) -> None:
        with self._lock:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class ObjectBody(Body):
    """A remote blob, with the power Defers: read as far as somebody reads, and one piece further.

    What is read whole from the start is proved by its digest before the last piece is given out,
    and a body of at most SMALL bytes before the first. Parts of a larger one cannot be proved, but
    by the object's size. What is not what it must be is as good as missing: Missing is raised,
    unless the object is whole when read once more, and then StorageError. Thread-safe.
    """

    def __init__(self, source: Source, key: str, size: int, bodies: Bodies) -> None:
        bodies.begin(key)
        self._ended = weakref.finalize(self, bodies.end, key)
        self._source = source
        self._key = key
        self._size = size
        self._asked = False
        self._content: bytes | None = None

    @property
    def size(self) -> int:
        return self._size

    def deferred(self) -> bool:
        return not self._asked

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        at, end = bounds(self._size, start, stop)
        if at >= end:
            return
        self._asked = True
        if self._size <= SMALL:
            yield from pieces(self._small(), at, end)
        elif at == 0 and end == self._size:
            yield from self._proved()
        else:
            yield from self._pieces(at, end)

    def close(self) -> None:
        self._ended()

    def _small(self) -> bytes:
        content = self._content
        if content is None:
            self._content = content = b"".join(self._proved())
        return content

    def _proved(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        held: bytes | None = None
        with closing(self._pieces(0, self._size)) as read:
            for piece in read:
                if held is not None:
                    yield held
                digest.update(piece)
                held = piece
        if not self._is(digest.hexdigest()):
            raise self._unlike()
        if held is not None:
            yield held

    def _unlike(self) -> StorageError:
        digest = hashlib.sha256()
        for piece in self._pieces(0, self._size):
            digest.update(piece)
        if self._is(digest.hexdigest()):
            # It came wrong over the network, and what is kept is whole.
            return StorageError(f"cannot read {self._key}: it came damaged")
        return Missing(f"the store holds other bytes than those of {self._key}")

    def _is(self, digest: str) -> bool:
        return digest == sha256_of(self._key)

    def _pieces(self, start: int, stop: int) -> Generator[bytes, None, None]:
        at = start
        with closing(self._source(self._key, start, stop, self._size)) as source:
            for read in source:
                at += len(read)
                if at > stop:
                    break
                yield from pieces(read, 0, len(read)) if len(read) > PIECE else (read,)
        if at != stop:
            raise Missing(f"the store holds {self._key} with another size than {self._size}")

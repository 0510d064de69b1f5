"""The store in any remote place fsspec reaches, such as a bucket."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from virtreg.backends.store.distant import Bodies, ObjectBody
from virtreg.backends.store.distant_notes import PlaceNotes
from virtreg.backends.store.faults import require_key
from virtreg.backends.store.filesystem import links, open_place, scheme_of
from virtreg.backends.store.guard import Guard
from virtreg.backends.store.places import Found, Limits, Place
from virtreg.backends.store.seen import Seen
from virtreg.backends.store.trouble import is_expired, is_no_such_part
from virtreg.core.layout import BLOBS, sha256_of
from virtreg.errors import Missing, StorageError

T = TypeVar("T")

_SEEN: Final = 60.0
"""Seconds for which an object that was there is taken to be there still, before a client is sent
to it: nothing heals what is missing there."""


class ObjectStore(PlaceNotes):
    """A CacheStore, with OpensKnown, Reclaims, Notes, TellsHealth and, where the place has links,
    Presigns, at an fsspec URL such as ``s3://bucket/prefix``.

    ``options`` are the filesystem's own arguments; leave credentials out of them to use those of
    the environment, which are renewed: where the service says that they have expired, the
    filesystem is opened anew, once for a call. It is opened on first use, again in each
    process: fsspec's event loop does not survive a fork. Every call is bounded in time
    by ``limits``, and after some failures in a row calls fail at once for
    a while. A crash during a large upload leaves an unfinished multipart upload: give the bucket a
    lifecycle rule. ``clock`` gives seconds and never runs backwards.

    Raises ConfigError for a URL that no store can be built on.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        **options: Any,
    ) -> None:
        self._scheme = scheme_of(url)
        self._url = url
        self._options = options
        self._limits = limits
        self._lock = Lock()
        self._opened: tuple[int, Place] | None = None
        self._guard = Guard(clock)
        self._seen = Seen(clock, _SEEN)
        self._bodies = Bodies()

    def __repr__(self) -> str:
        return f"ObjectStore({self._scheme}://…)"

    def open(self, key: str) -> ObjectBody:
        require_key(key)
        return self.open_known(key, self._find(f"open {key}", key).size)

    def open_known(self, key: str, size: int) -> ObjectBody:
        """A whole read of the body proves its digest before the last piece; a small body is proved
        before the first. Raises StorageError at once while the place is left alone."""
        require_key(key)
        self._guard.require(f"open {key}")
        return ObjectBody(self._stream, key, size, self._bodies)

    def put(self, key: str, content: Path | bytes) -> None:
        require_key(key)
        try:
            self._ask(f"put {key}", lambda place: place.put(key, content))
        except FileNotFoundError as error:
            raise StorageError(f"cannot put {key}: there is no such file") from error
        self._seen.add(key)

    def delete(self, key: str) -> None:
        require_key(key)
        self._seen.forget(key)
        self._remove(key)

    def reclaim(self, key: str, before: float) -> int | None:
        """Nor is anything deleted that this process reads: it could not read on. Another process
        that reads it is cut, and who puts it in the very moment that it goes refers to what is
        missing: a miss."""
        require_key(key)
        if key in self._bodies:
            return None
        try:
            found = self._find(f"delete {key}", key)
        except Missing:
            return None
        if found.modified_at >= before:
            return None
        self._seen.forget(key)
        self._remove(key)
        return found.size

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        for shard in self._ask("list blobs", lambda place: place.folders(BLOBS.rstrip("/"))):
            start = f"{BLOBS}{shard}/"
            if not start.startswith(prefix[: len(start)]):
                continue
            for found in self._objects(start.rstrip("/")):
                key = start + found.name
                if key.startswith(prefix) and sha256_of(key) is not None:
                    yield key, found.size, found.modified_at

    def available(self) -> bool:
        return self._guard.available()

    def presign(self, key: str, size: int, media_type: str, seconds: int) -> str | None:
        require_key(key)
        if not links(self._scheme):
            return None
        if not self._seen.lately(key):
            found = self._find(f"open {key}", key)
            if found.size != size:
                raise Missing(f"the store holds {found.size} bytes of {key} instead of {size}")
            self._seen.add(key)
        return self._ask(f"sign {key}", lambda place: place.link(key, media_type, seconds))

    def _find(self, action: str, key: str) -> Found:
        try:
            return self._ask(action, lambda place: place.find(key))
        except FileNotFoundError as error:
            raise _missing(key) from error

    def _remove(self, key: str) -> None:
        try:
            self._ask(f"delete {key}", lambda place: place.remove(key))
        except FileNotFoundError:
            return

    def _objects(self, folder: str) -> Iterator[Found]:
        yield from self._ask("list blobs", lambda place: place.objects(folder))

    def _stream(self, key: str, start: int, stop: int, size: int) -> Generator[bytes, None, None]:
        """As :meth:`Place.read`. Raises Missing and StorageError."""

        def begun(place: Place) -> tuple[bytes | None, Generator[bytes, None, None]]:
            pieces = place.read(key, start, stop, size)
            return next(pieces, None), pieces

        try:
            first, pieces = self._ask(f"read {key}", begun)
            with closing(pieces):
                while first is not None:
                    yield first
                    with self._guard.reading(f"read {key}"):
                        first = next(pieces, None)
        except FileNotFoundError as error:
            raise _missing(key) from error
        except Exception as error:
            if not is_no_such_part(error):
                raise
            # It is shorter than was thought, and what was asked for is behind its end.

    def _ask(self, action: str, ask: Callable[[Place], T]) -> T:
        """Raises StorageError; lets pass what :meth:`Guard.asking` lets."""
        with self._guard.asking(action):
            place = self._place()
            try:
                return ask(place)
            except Exception as error:
                if not is_expired(error):
                    raise
            return ask(self._place(instead_of=place))

    def _place(self, instead_of: Place | None = None) -> Place:
        opened = self._opened
        if opened is None or opened[0] != os.getpid() or opened[1] is instead_of:
            with self._lock:
                opened = self._opened
                if opened is None or opened[0] != os.getpid() or opened[1] is instead_of:
                    opened = (os.getpid(), open_place(self._url, self._options, self._limits))
                    self._opened = opened
        return opened[1]


def _missing(key: str) -> Missing:
    return Missing(f"the store does not hold {key}")

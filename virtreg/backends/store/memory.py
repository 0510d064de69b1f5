"""A store that forgets everything with its process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from virtreg.backends.store.body import bounds, pieces
from virtreg.backends.store.faults import disk_errors, require_key
from virtreg.errors import Missing
from virtreg.protocols import Body


class MemoryStore:
    """A CacheStore, with Reclaims, in a dict. ``clock`` gives seconds since the epoch, for
    ``modified_at``."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._blobs: dict[str, tuple[bytes, float]] = {}
        self._lock = Lock()

    def open(self, key: str) -> BytesBody:
        require_key(key)
        with self._lock:
            found = self._blobs.get(key)
        if found is None:
            raise Missing(f"the store does not hold {key}")
        return BytesBody(found[0])

    def put(self, key: str, content: Path | bytes) -> None:
        require_key(key)
        if isinstance(content, Path):
            with disk_errors(f"put {key}"):
                content = content.read_bytes()
        with self._lock:
            self._blobs[key] = (content, self._clock())

    def delete(self, key: str) -> None:
        require_key(key)
        with self._lock:
            self._blobs.pop(key, None)

    def reclaim(self, key: str, before: float) -> int | None:
        require_key(key)
        with self._lock:
            content, modified_at = self._blobs.get(key, (b"", before))
            if modified_at >= before:
                return None
            del self._blobs[key]
        return len(content)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        with self._lock:
            blobs = [(key, *blob) for key, blob in self._blobs.items() if key.startswith(prefix)]
        for key, content, modified_at in blobs:
            yield key, len(content), modified_at


class BytesBody(Body):
    """A body already in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return pieces(self._content, *bounds(len(self._content), start, stop))

    def close(self) -> None:
        """Nothing is held."""

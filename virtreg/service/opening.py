"""Opening blobs on the index's word, and finding out later that one is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from virtreg.errors import Missing
from virtreg.protocols import Body, CacheStore, Defers, OpensKnown

Opener = Callable[[str, int], Body]
"""Opens the blob at a key, of which somebody knows the size. Raises Missing and StorageError."""


def opener(store: CacheStore) -> Opener:
    """How a store is best asked for a blob that is known."""
    if isinstance(store, OpensKnown):
        return store.open_known
    return lambda key, _size: store.open(key)


def trusted(body: Body, missing: Callable[[], None]) -> Body:
    """The body; if its store was not asked for it yet, as one that calls ``missing`` when it turns
    out that it is not there, or is not what it must be."""
    return TrustedBody(body, missing) if isinstance(body, Defers) else body


class TrustedBody(Body):
    """A body with the power Defers. Owns the other. Thread-safe."""

    def __init__(self, body: Body, missing: Callable[[], None]) -> None:
        assert isinstance(body, Defers)
        self._body: Body = body
        self._deferred = body.deferred
        self._missing = missing

    @property
    def size(self) -> int | None:
        return self._body.size

    def deferred(self) -> bool:
        return self._deferred()

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        try:
            yield from self._body.read(start, stop)
        except Missing:
            self._missing()
            raise

    def close(self) -> None:
        self._body.close()

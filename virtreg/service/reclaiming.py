"""Freeing the blobs of entries that were removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from virtreg.core.layout import blob_key
from virtreg.errors import Missing
from virtreg.protocols import CacheStore, Inventory, Reclaims
from virtreg.service.agreement import Agreement, Remembered

YOUNG = 120.0
"""Seconds after which whoever has put a blob has also put the entry that refers to it."""

_AT_ONCE = 250


class Reclaimer:
    """Thread-safe; several processes may free the same blobs.

    A blob that is needed again in the very moment it goes is fetched anew: an entry without its
    blob is a miss. Nothing is freed while the index does not know of all that the journal tells.
    """

    def __init__(self, index: Inventory, store: CacheStore, clock: Callable[[], float]) -> None:
        self._index = index
        self._store = store
        self._reclaims = store if isinstance(store, Reclaims) else None
        self._clock = clock
        self._agreement = Remembered(Agreement(index, store), clock)

    def free(self, digests: Sequence[str]) -> Mapping[str, int]:
        """Delete the blobs of loose digests that no entry refers to; the bytes freed of each. Those
        that were put a moment ago stay loose. Raises StorageError."""
        if not self._agreement.holds():
            return {}
        freed: dict[str, int] = {}
        needed = self._index.referenced(digests)
        settled = list(needed)
        for digest in digests:
            if digest in needed:
                continue
            size = self._reclaim(blob_key(digest))
            if size is not None:
                freed[digest] = size
                settled.append(digest)
        self._index.settle(settled)
        return freed

    def free_all(self, goes_on: Callable[[], bool]) -> int:
        """Free everything that is loose, for as long as the answer is True; the bytes freed."""
        total = 0
        after = ""
        while goes_on() and (digests := self._index.loose(after=after, limit=_AT_ONCE)):
            total += sum(self.free(digests).values())
            after = digests[-1]
        return total

    def _reclaim(self, key: str) -> int | None:
        """The bytes freed; None while the blob is too young to be judged."""
        if self._reclaims is None:
            return 0  # left to the sweeper
        size = self._reclaims.reclaim(key, self._clock() - YOUNG)
        if size is not None:
            return size
        try:
            self._store.open(key).close()
        except Missing:
            return 0
        return None

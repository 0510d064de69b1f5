"""Removing blobs that no entry refers to: what replaced documents and dropped entries leave.

A blob is swept only when it is older than any download that could still be about to refer to it.
Should one be swept in the very moment it is needed again, its entry heals itself: a missing blob
is a miss. Nothing is swept while the index does not know of all that the journal beside the blobs
tells: what it does not refer to may be what was lost of it.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable
from itertools import islice

from virtreg.core.layout import BLOBS, sha256_of
from virtreg.protocols import CacheStore, EntryIndex, KnowsReferences, Reclaims
from virtreg.service.agreement import Agreement

_log = logging.getLogger(__name__)

AGE = 6 * 3600.0
"""Seconds a blob is left alone after it was put: longer than the longest download."""

_INTERVAL = 3600.0
_BATCH = 500
_LEASE = "sweep"


class Sweeper:
    """Sweeps once an hour, on one process of all that share the index. ``sweep`` is for whoever
    wants it now; thread-safe."""

    def __init__(self, store: CacheStore, index: EntryIndex, clock: Callable[[], float]) -> None:
        self._store = store
        self._index = index
        self._clock = clock
        self._agreement = Agreement(index, store)
        self._holder = f"{os.getpid()}-{uuid.uuid4().hex}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtreg-sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def sweep(self, age: float = AGE) -> int:
        """Remove unreferenced blobs put more than ``age`` seconds ago; the bytes freed. Does
        nothing while another process sweeps. Raises StorageError."""
        if not isinstance(self._index, KnowsReferences) or not self._agreement.holds():
            return 0
        if not self._index.lease(_LEASE, self._holder, self._clock(), _INTERVAL):
            return 0
        before = self._clock() - age
        freed = 0
        blobs = ((key, size) for key, size, at in self._store.list(BLOBS) if at < before)
        while batch := list(islice(blobs, _BATCH)):
            if self._stopping.is_set():
                break
            digests = {key: sha256_of(key) for key, _ in batch}
            needed = self._index.referenced([digest for digest in digests.values() if digest])
            for key, size in batch:
                if digests[key] not in needed:
                    freed += self._remove(key, size, before)
        self._index.lease(_LEASE, self._holder, self._clock(), 0)
        return freed

    def _remove(self, key: str, size: int, before: float) -> int:
        """The bytes freed; none of a blob that was put again since it was listed."""
        if isinstance(self._store, Reclaims):
            return self._store.reclaim(key, before) or 0
        self._store.delete(key)
        return size

    def close(self) -> None:
        """Stop after the batch at hand."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL):
            try:
                freed = self.sweep()
            except Exception:  # noqa: BLE001 - a plug-in's fault must not end the thread
                _log.warning("sweeping failed", exc_info=True)
            else:
                _log.info("swept %d bytes", freed)

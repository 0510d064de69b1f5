"""Keeping the copies of a node within their budget: what was used longest ago goes first."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Final, Protocol

from virtreg.core.layout import BLOBS
from virtreg.errors import StorageError
from virtreg.protocols import CacheStore, Reclaims

_log = logging.getLogger(__name__)

_UNSEEN: Final = 16
"""The part of the budget that may be added before what others have added is looked at."""

_LEFT: Final = 0.9
"""The part of the budget that is left when copies were removed."""


class Copies(CacheStore, Reclaims, Protocol):
    """Where copies are."""


class Space:
    """Thread-safe, and so across the processes that share a folder: each looks at all of it, and
    none removes anything that is newer than what must go. A thread of its own looks."""

    def __init__(self, copies: Copies, budget: int) -> None:
        self._copies = copies
        self._budget = budget
        self._changed = threading.Condition()
        self._added = 0
        self._closed = False
        self._asked = False
        self._looking = False
        self._thread: threading.Thread | None = None
        # What is there from before counts at the first look.
        self._due = 0

    def taken(self, size: int) -> None:
        """A copy of so many bytes was added."""
        with self._changed:
            self._added += size
            if self._added < self._due or self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="virtreg-space", daemon=True)
                self._thread.start()
            self._asked = True
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all that was added has been looked at, where that is due."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not (self._asked or self._looking))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def trim(self) -> int:
        """Look, and remove what is too much; the bytes removed. Raises StorageError."""
        by_second: Counter[int] = Counter()
        for _, size, at in self._copies.list(BLOBS):
            by_second[int(at)] += size
        held = by_second.total()
        if held <= self._budget:
            return 0
        excess = held - int(self._budget * _LEFT)
        last, removable = 0, 0
        for second in sorted(by_second):
            last = second
            removable += by_second[second]
            if removable >= excess:
                break
        return self._remove(last + 1, excess)

    def _remove(self, before: int, excess: int) -> int:
        removed = 0
        for key, _, at in self._copies.list(BLOBS):
            if at < before:
                removed += self._copies.reclaim(key, before) or 0
                if removed >= excess:
                    break
        return removed

    def _run(self) -> None:
        while self._wait():
            try:
                removed = self.trim()
            except StorageError as error:
                _log.warning("copies cannot be looked at: %s", error.message)
            else:
                _log.debug("%d bytes of copies were removed", removed)

    def _wait(self) -> bool:
        """Until a look is due; False when it is never again."""
        with self._changed:
            self._looking = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._asked or self._closed)
            self._asked = False
            self._looking = not self._closed
            self._added = 0
            self._due = max(1, self._budget // _UNSEEN)
            return not self._closed

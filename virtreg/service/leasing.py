"""Doing alone what one process of all is to do."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from virtreg.protocols import EntryIndex

SECONDS = 60.0
"""How long a lease outlives the last sign of its holder."""


class LeaseLost(Exception):
    """Another process holds the lease by now."""


class Lease:
    """A named lease of the index. ``renew`` is the holder's own thread's."""

    def __init__(self, index: EntryIndex, name: str, clock: Callable[[], float]) -> None:
        self._index = index
        self._name = name
        self._clock = clock
        self._holder = f"{os.getpid()}-{uuid.uuid4().hex}"
        self._renewed = 0.0

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Whether it could be taken; given back at the end."""
        taken = self._take()
        try:
            yield taken
        finally:
            if taken:
                self._index.lease(self._name, self._holder, self._clock(), 0)

    def renew(self) -> None:
        """Call at least every half a minute. Raises LeaseLost."""
        if self._clock() - self._renewed >= SECONDS / 4 and not self._take():
            raise LeaseLost(self._name)

    def _take(self) -> bool:
        now = self._clock()
        if not self._index.lease(self._name, self._holder, now, SECONDS):
            return False
        self._renewed = now
        return True

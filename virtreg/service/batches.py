"""Removing entries a few at a time, so that nobody who pulls has to wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from virtreg.model import Entry
from virtreg.protocols import Inventory
from virtreg.service.reclaiming import Reclaimer

MOST = 250
"""Entries of one batch."""

LONGEST = 0.25
"""Seconds that the index may be locked for one batch."""

REST = 1.0
"""How many times as long as a batch took nothing is done after it."""

_SMALLEST = 10


class Batches:
    """Of one run, on one thread. ``rest`` waits that many seconds or until there is something
    better to do; ``settle`` writes what was downloaded so far to the index."""

    def __init__(
        self,
        index: Inventory,
        reclaimer: Reclaimer,
        settle: Callable[[], None],
        rest: Callable[[float], object],
    ) -> None:
        self._index = index
        self._reclaimer = reclaimer
        self._settle = settle
        self._rest = rest
        self.size = MOST
        """Entries of the next batch: fewer where the database is slow."""
        self.longest = 0.0
        """Seconds that the longest lock took."""

    def remove(
        self, seen: Sequence[tuple[Entry, float | None]]
    ) -> tuple[Sequence[Entry], Mapping[str, int]]:
        """What was removed of it, and the bytes freed by digest. Raises StorageError."""
        started = time.monotonic()
        self._settle()
        locked = time.monotonic()
        dropped = self._index.drop_entries(seen)
        self._adapt(time.monotonic() - locked)
        freed = self._reclaimer.free(sorted({entry.sha256 for entry in dropped}))
        self._rest((time.monotonic() - started) * REST)
        return dropped, freed

    def remove_of(self, source: str) -> int:
        """Some entries of a source, whatever they are; how many."""
        locked = time.monotonic()
        dropped = self._index.drop_some(source, self.size)
        took = time.monotonic() - locked
        self._adapt(took)
        self._rest(took * REST)
        return dropped

    def _adapt(self, took: float) -> None:
        self.longest = max(self.longest, took)
        if took > LONGEST / 2:
            self.size = max(_SMALLEST, self.size // 2)
        elif took < LONGEST / 5:
            self.size = min(MOST, self.size * 2)

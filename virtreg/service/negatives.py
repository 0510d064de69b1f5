"""Absence that is remembered: a healthy upstream said 404 or 410 a short while ago.

Kept in memory only. It is short-lived by definition, three of four requests of a build are misses,
and a write per miss would make the cheapest answer the dearest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

_CAPACITY = 200_000

LONGEST = 300
"""Characters of a path that is worth remembering."""


class Negatives:
    """Absent ``(source, path)``, each for its time, with a bound on their number. Thread-safe."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._believed: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._believed)

    def remember(self, source: str, path: str, now: float, seconds: float) -> None:
        if len(path) > LONGEST:
            return  # no build asks for such; strangers would fill the memory with them
        with self._lock:
            self._believed.pop((source, path), None)
            while len(self._believed) >= self._capacity:
                self._believed.popitem(last=False)
            self._believed[source, path] = (now, now + seconds)

    def until(self, source: str, path: str, now: float) -> float:
        """Until when the path is believed absent; 0 when it is not, ``now``.

        What was heard in the future was heard by a clock that has been set back since.
        """
        heard, until = self._believed.get((source, path), (0.0, 0.0))
        return until if heard <= now < until else 0.0

    def forget(self, source: str, path: str | None = None) -> int:
        """Forget one path, or all of a source; the number forgotten."""
        with self._lock:
            if path is not None:
                return 0 if self._believed.pop((source, path), None) is None else 1
            gone = [key for key in self._believed if key[0] == source]
            for key in gone:
                del self._believed[key]
            return len(gone)

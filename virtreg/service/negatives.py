"""Absence that is remembered: a healthy upstream said 404 or 410 a short while ago.

Kept in memory only. It is short-lived by definition, three of four Maven requests are misses, and
a write per miss would make the cheapest answer the dearest.
"""

from __future__ import annotations

import threading

_CAPACITY = 200_000


class Negatives:
    """``(source, path) -> until`` with a bound on their number. Thread-safe."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], float] = {}

    def remember(self, source: str, path: str, until: float) -> None:
        with self._lock:
            self._until.pop((source, path), None)
            while len(self._until) >= self._capacity:
                del self._until[next(iter(self._until))]
            self._until[source, path] = until

    def until(self, source: str, path: str) -> float:
        """Until when the path is believed absent; 0 when nothing is remembered."""
        return self._until.get((source, path), 0)

    def forget(self, source: str, path: str | None = None) -> int:
        """Forget one path, or all of a source; the number forgotten."""
        with self._lock:
            if path is not None:
                return 0 if self._until.pop((source, path), None) is None else 1
            gone = [key for key in self._until if key[0] == source]
            for key in gone:
                del self._until[key]
            return len(gone)

"""How much is kept, for whoever asks often."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from virtreg.protocols import KnowsUse

BELIEVED: Final = 60.0
"""Seconds for which what was added up is told again."""


class Usage:
    """Thread-safe. Adding up a million entries takes about a second, so it is done at most once a
    minute, by one thread, while the others are told what was there before."""

    def __init__(self, index: KnowsUse, clock: Callable[[], float]) -> None:
        self._index = index
        self._clock = clock
        self._adding = threading.Lock()
        self._latest: tuple[float, Mapping[str, tuple[int, int]]] | None = None

    def by_source(self) -> tuple[Mapping[str, tuple[int, int]], float]:
        """``source -> (entries, bytes)``, and when it was so. Raises StorageError."""
        latest = self._latest
        if latest is not None and 0 <= self._clock() - latest[0] < BELIEVED:
            return latest[1], latest[0]
        # Whoever comes first has to wait for the one that adds up.
        if self._adding.acquire(blocking=latest is None):
            try:
                if self._latest is latest:
                    now = self._clock()
                    self._latest = (now, self._index.usage())
            finally:
                self._adding.release()
        assert self._latest is not None
        return self._latest[1], self._latest[0]

    def of(self, sources: Iterable[str]) -> tuple[int, int]:
        """``(entries, bytes)`` of some sources; a file that several of them keep counts for
        each."""
        found, _ = self.by_source()
        rows = [found.get(source, (0, 0)) for source in sources]
        return sum(entries for entries, _ in rows), sum(size for _, size in rows)

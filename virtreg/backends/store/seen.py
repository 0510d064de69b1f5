"""Which objects were there a moment ago."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

_MOST: Final = 10_000


class Seen:
    """Keys, each for some seconds; the oldest of very many go first. Thread-safe."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = Lock()
        self._at: OrderedDict[str, float] = OrderedDict()

    def add(self, key: str) -> None:
        with self._lock:
            self._at[key] = self._clock()
            self._at.move_to_end(key)
            if len(self._at) > _MOST:
                self._at.popitem(last=False)

    def lately(self, key: str) -> bool:
        at = self._at.get(key)
        return at is not None and self._clock() - at < self._seconds

    def forget(self, key: str) -> None:
        with self._lock:
            self._at.pop(key, None)

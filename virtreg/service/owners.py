"""Where things were found before: files that lie together mostly come from one upstream.

Only a hint that spares upstreams below the likely owner pointless questions. It never decides
who answers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

_CAPACITY = 50_000


class Owners:
    """Remembers, for a path's folder and its parent, which position had something. Thread-safe."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._owner: OrderedDict[str, int] = OrderedDict()

    def likely(self, path: str) -> int | None:
        for folder in _folders(path):
            if folder in self._owner:
                return self._owner[folder]
        return None

    def found(self, path: str, position: int) -> None:
        with self._lock:
            for folder in _folders(path):
                self._owner.pop(folder, None)
                while len(self._owner) >= self._capacity:
                    self._owner.popitem(last=False)
                self._owner[folder] = position


def _folders(path: str) -> list[str]:
    folder, _, _ = path.rpartition("/")
    parent, _, _ = folder.rpartition("/")
    return [name for name in (folder, parent) if name]

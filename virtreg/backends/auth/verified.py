"""A bounded memory of credentials that proved right."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Verified(Generic[T]):
    """Keeps what is known of the ``limit`` most recently used credentials by their fingerprint:
    the principal, for one. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, T] = OrderedDict()
        self._lock = Lock()

    def get(self, fingerprint: bytes) -> T | None:
        with self._lock:
            known = self._known.get(fingerprint)
            if known is not None:
                self._known.move_to_end(fingerprint)
            return known

    def add(self, fingerprint: bytes, known: T) -> None:
        with self._lock:
            self._known[fingerprint] = known
            self._known.move_to_end(fingerprint)
            while len(self._known) > self._limit:
                self._known.popitem(last=False)

    def __len__(self) -> int:
        with self._lock:
            return len(self._known)

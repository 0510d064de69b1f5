"""A bounded table that is read without a lock."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Learnt(Generic[T]):
    """Keeps the ``limit`` values that were added last, by a fingerprint. Thread-safe.

    For what is cheap to learn again and asked for with every request: unlike
    :class:`~virtreg.backends.auth.verified.Verified` it does not notice what is in use.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[bytes, T] = {}
        self._adding = Lock()
        self.get: Callable[[bytes], T | None] = self._values.get

    def add(self, fingerprint: bytes, value: T) -> None:
        with self._adding:
            self._values.pop(fingerprint, None)
            self._values[fingerprint] = value
            if len(self._values) > self._limit:
                del self._values[next(iter(self._values))]

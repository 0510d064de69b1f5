"""What must not be shared with a parent or a child process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One value for each process, made when it is first asked for: sockets must not be used by
    two, and a fork may copy a lock that is held. Thread-safe.

    ``abandon`` is called in a child with what it inherited.
    """

    def __init__(self, make: Callable[[], T], abandon: Callable[[T], None] | None = None) -> None:
        self._make = make
        self._abandon = abandon
        self._values: dict[int, T] = {}

    def get(self) -> T:
        pid = os.getpid()
        value = self._values.get(pid)
        if value is None:
            for parent in [other for other in list(self._values) if other != pid]:
                inherited = self._values.pop(parent, None)
                if inherited is not None and self._abandon is not None:
                    self._abandon(inherited)
            value = self._values.setdefault(pid, self._make())
        return value

    def all(self) -> list[T]:
        """Every value there is, at most one of them this process's own."""
        return list(self._values.values())

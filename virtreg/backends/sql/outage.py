"""Whether a database server answers, so that callers need not find out one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Outage:
    """Remembers that a server failed. For ``pause`` seconds nobody asks it then, and after that
    one caller at a time, until one is answered.

    Safe from any thread, and not across a fork. ``clock`` never runs backwards.
    """

    def __init__(self, pause: float, clock: Callable[[], float]) -> None:
        self._pause = pause
        self._clock = clock
        self._lock = Lock()
        self._until: float | None = None
        self._asked = False

    @contextmanager
    def asking(self) -> Iterator[bool]:
        """Whether the server may be asked; a ``with`` block around asking it."""
        may, ours = self._admit()
        try:
            yield may
        finally:
            if ours:
                self._asked = False

    def began(self) -> bool:
        """The server failed. Whether that is news."""
        with self._lock:
            news = self._until is None
            self._until = self._clock() + self._pause
        return news

    def ended(self) -> bool:
        """The server answered. Whether that is news."""
        if self._until is None:
            return False
        with self._lock:
            news = self._until is not None
            self._until = None
        return news

    def _admit(self) -> tuple[bool, bool]:
        """Whether one more may ask, and whether nobody else may meanwhile."""
        until = self._until
        if until is None:
            return True, False
        with self._lock:
            if self._asked or self._clock() < until:
                return False, False
            self._asked = True
            return True, True

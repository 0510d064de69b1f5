"""What is true while it changes: known by who changes it, asked by those who look meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field


@define(eq=False)
class Fact:
    """True or false; while it changes, neither is certain. Times are of ``time.monotonic``.
    Thread-safe; one thread changes it."""

    _states: list[tuple[float, bool | None]] = field(factory=lambda: [(0.0, False)])
    """Since when it is what; None: it is changing."""
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def now(self) -> bool:
        """For who changes it, between two changes."""
        state = self._states[-1][1]
        assert state is not None
        return state

    @contextmanager
    def becoming(self, value: bool) -> Iterator[None]:
        """Around what makes it so. What it was before, if it was that already, stays certain."""
        if self.now is value:
            yield
            return
        self._add(None)
        yield
        self._add(value)

    def within(self, begin: float, end: float) -> set[bool | None]:
        """What it was between two times, at one moment or another."""
        with self._lock:
            states = list(self._states)
        ends = [since for since, _ in states[1:]] + [float("inf")]
        return {
            value
            for (since, value), until in zip(states, ends, strict=True)
            if since <= end and until >= begin
        }

    def _add(self, value: bool | None) -> None:
        with self._lock:
            self._states.append((time.monotonic(), value))


@define(eq=False)
class Floor:
    """The least number that may still be seen. Thread-safe; one thread raises it."""

    _steps: list[tuple[float, int]] = field(factory=lambda: [(0.0, 0)])
    _lock: threading.Lock = field(factory=threading.Lock)

    def rise(self, number: int) -> None:
        """From now on."""
        with self._lock:
            self._steps.append((time.monotonic(), number))

    def at(self, moment: float) -> int:
        with self._lock:
            return max(number for since, number in self._steps if since <= moment)

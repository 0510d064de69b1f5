"""What was true of every path, and when: what may be served is what was true a moment ago."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field


@define
class Edition:
    """What a path was for some time, by the monotonic clock; ``essence`` None: it was not there."""

    essence: str | None
    since: float
    until: float = math.inf

    def end(self) -> None:
        self.until = time.monotonic()


@define
class Truth:
    """Thread-safe. While something is made true, both it and what was before it are."""

    _editions: dict[str, list[Edition]] = field(factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(factory=threading.Lock)

    def change(self, path: str, essence: str | None, make: Callable[[], object]) -> None:
        """One caller at a time for each path."""
        begun = time.monotonic()
        with self._lock:
            before = self._editions[path][-1] if self._editions[path] else Edition(None, -math.inf)
            if not self._editions[path]:
                self._editions[path].append(before)
            self._editions[path].append(Edition(essence, begun))
        make()
        before.end()

    def during(self, path: str, since: float, until: float) -> set[str | None]:
        with self._lock:
            editions = list(self._editions[path])
        return {each.essence for each in editions if each.since <= until and each.until >= since}

    def ever(self, path: str) -> set[str | None]:
        return self.during(path, -math.inf, math.inf)

    def now(self, path: str) -> str | None:
        with self._lock:
            return self._editions[path][-1].essence


@define
class Times:
    """Spans of time in which something was so. Thread-safe."""

    _spans: list[Edition] = field(factory=list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def begin(self) -> Edition:
        one = Edition("", time.monotonic())
        with self._lock:
            self._spans.append(one)
        return one

    @contextmanager
    def span(self) -> Iterator[None]:
        one = self.begin()
        try:
            yield
        finally:
            one.end()

    def within(self, since: float, until: float, *, after: float = 0) -> float:
        """Seconds of that time in which it was so, or had been less than ``after`` before."""
        with self._lock:
            spans = list(self._spans)
        return sum(
            max(0.0, min(until, each.until + after) - max(since, each.since)) for each in spans
        )

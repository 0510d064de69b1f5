"""Answers kept ready: everything a repeated request needs, found with one dictionary look-up.

A ready answer is good until the moment its freshness ends, and vanishes earlier when what it was
made from changes. Bounded by the bytes it holds; the least used go first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from virtreg.events import Event, Filled, Merged, Purged, Revalidated
from virtreg.model import Headers, Scope
from virtreg.wsgi.place import Key

_OVERHEAD = 1500
"""Bytes a ready answer costs besides its body, roughly measured."""

SMALL = 64 * 1024
"""Bodies up to this size are kept in memory."""


class Ready:
    """One answer to GET. Written once; ``used`` is a hint that threads may lose."""

    __slots__ = (
        "body",
        "code",
        "expires_at",
        "headers",
        "key",
        "made_at",
        "origin",
        "path",
        "scope",
        "size",
        "source",
        "status",
        "used",
        "viewed",
    )

    def __init__(
        self,
        *,
        status: str,
        headers: Headers,
        body: bytes | None,
        key: str,
        size: int,
        made_at: float,
        expires_at: float,
        origin: str,
        scope: Scope,
        source: str,
        path: str,
        viewed: bool = False,
    ) -> None:
        self.status = status
        self.code = int(status[:3])
        self.headers = list(headers)
        self.body = body
        """None: the blob ``key`` is opened anew for each request."""
        self.key = key
        self.size = size
        self.made_at = made_at
        """Not good before: its end was told by a clock that has been set back since."""
        self.expires_at = expires_at
        self.origin = origin
        self.scope = scope
        """What a caller must be allowed: the path as asked for, checksum suffix included."""
        self.source = source
        self.path = path
        """In the registry: what invalidation goes by."""
        self.viewed = viewed
        """A query may ask for a part of it."""
        self.used = True

    @property
    def cost(self) -> int:
        return _OVERHEAD + len(self.body or b"")


class ReadyAnswers:
    """The table, by a place's key. ``get`` takes no lock; everything else does."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._answers: OrderedDict[Key, Ready] = OrderedDict()
        self._by_path: dict[str, set[Key]] = {}
        self._lock = threading.Lock()
        self._held = 0
        self._epoch = 0
        self.get: Callable[[Key], Ready | None] = self._answers.get

    @property
    def epoch(self) -> int:
        """Grows with every invalidation; taken before an answer is made, given to ``put``."""
        return self._epoch

    def put(self, key: Key, ready: Ready, epoch: int) -> None:
        """Keep an answer, unless something changed since ``epoch``: it may be older than that."""
        if ready.cost > self._capacity // 8:
            return
        with self._lock:
            if epoch != self._epoch:
                return
            self._remove(key)
            self._answers[key] = ready
            self._by_path.setdefault(ready.path, set()).add(key)
            self._held += ready.cost
            while self._held > self._capacity:
                self._evict()

    def discard(self, key: Key) -> None:
        with self._lock:
            self._remove(key)

    def observe(self, event: Event) -> None:
        """An observer of events: what a change touches is not ready any more."""
        if isinstance(event, Filled | Purged | Merged) or (
            isinstance(event, Revalidated) and event.changed
        ):
            with self._lock:
                self._epoch += 1
                for key in tuple(self._by_path.get(event.path, ())):
                    self._remove(key)

    def clear(self) -> None:
        with self._lock:
            self._epoch += 1
            self._answers.clear()
            self._by_path.clear()
            self._held = 0

    def _evict(self) -> None:
        """The oldest that was not used since it was last looked at (CLOCK)."""
        while True:
            key = next(iter(self._answers))
            ready = self._answers[key]
            if not ready.used:
                self._remove(key)
                return
            ready.used = False
            self._answers.move_to_end(key)

    def _remove(self, key: Key) -> None:
        ready = self._answers.pop(key, None)
        if ready is None:
            return
        self._held -= ready.cost
        aliases = self._by_path[ready.path]
        aliases.discard(key)
        if not aliases:
            del self._by_path[ready.path]

"""Having paths cached before anybody asks for them, a few at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import ClassVar

from attrs import field, frozen

from virtreg.correlation import Threads
from virtreg.errors import VirtregError
from virtreg.model import Route
from virtreg.service.registry import PullThroughRegistry

_log = logging.getLogger(__name__)

_PAUSE = 10.0
"""Seconds after which it is worth asking again."""


class Crowded(VirtregError):
    """Too much waits to be done already."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "crowded"


@frozen(eq=False)
class _Queue:
    """What one group has asked for."""

    threads: Threads
    open: set[Future[None]] = field(factory=set)


class Prefetching:
    """Fetches in the background, on up to ``threads`` threads for each group that has asked, so
    that one whose upstreams are slow keeps no other waiting; ``most_waiting`` is a group's too.
    Thread-safe. ``close`` before the upstreams are."""

    def __init__(self, threads: int = 4, most_waiting: int = 1000) -> None:
        self._most_waiting = most_waiting
        self._threads = threads
        self._lock = threading.Lock()
        self._queues: dict[str, _Queue] = {}
        """By group; while they have something to do."""
        self._closed = False

    def add(self, registry: PullThroughRegistry, routes: Sequence[Route]) -> list[Future[None]]:
        """Have all of the routes fetched, each until its body is whole; futures that end when they
        are and raise what went wrong. Raises Crowded, and fetches none, where too many wait
        already."""
        if not routes:
            return []
        group = registry.spec.group
        with self._lock:
            if self._closed:
                raise Crowded("nothing is fetched any more: the server ends", retry_after=_PAUSE)
            queue = self._queues.get(group)
            waiting = 0 if queue is None else len(queue.open)
            if waiting + len(routes) > self._most_waiting:
                raise Crowded(
                    f"{waiting} paths wait to be fetched already, of at most {self._most_waiting}",
                    retry_after=_PAUSE,
                )
            if queue is None:
                queue = _Queue(Threads(self._threads, "virtreg-prefetch"))
                self._queues[group] = queue
            added = [queue.threads.submit(_fetch, registry, route) for route in routes]
            queue.open.update(added)
        for future in added:
            future.add_done_callback(partial(self._ended, group, queue))
        return added

    def settle(self) -> None:
        """Wait until all that was added has ended."""
        with self._lock:
            added = [future for queue in self._queues.values() for future in queue.open]
        wait(added)

    def close(self) -> None:
        """Give up what waits; what is being fetched ends with its download."""
        with self._lock:
            self._closed = True
            queues = tuple(self._queues.values())
        for queue in queues:
            queue.threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, group: str, queue: _Queue, future: Future[None]) -> None:
        with self._lock:
            queue.open.discard(future)
            if not queue.open and self._queues.get(group) is queue:
                del self._queues[group]
                queue.threads.shutdown(wait=False)


def _fetch(registry: PullThroughRegistry, route: Route) -> None:
    try:
        resolved = registry.resolve(route)
        with resolved.body:
            resolved.proved()
    except VirtregError as error:
        _log.info("%s: %s could not be fetched: %s", registry.spec.name, route.path, error.message)
        raise

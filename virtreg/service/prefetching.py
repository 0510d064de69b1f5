"""Having paths cached before anybody asks for them, a few at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import ClassVar

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


class Prefetching:
    """Fetches in the background, on up to ``threads`` threads, which are made when they are needed.
    Thread-safe. ``close`` before the upstreams are."""

    def __init__(self, threads: int = 4, most_waiting: int = 1000) -> None:
        self._most_waiting = most_waiting
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="virtreg-prefetch")
        self._lock = threading.Lock()
        self._open: set[Future[None]] = set()

    def add(self, registry: PullThroughRegistry, routes: Sequence[Route]) -> list[Future[None]]:
        """Have all of the routes fetched, each until its body is whole; futures that end when they
        are and raise what went wrong. Raises Crowded, and fetches none, where too many wait
        already."""
        with self._lock:
            if len(self._open) + len(routes) > self._most_waiting:
                raise Crowded(
                    f"{len(self._open)} paths wait to be fetched already, of at most "
                    f"{self._most_waiting}",
                    retry_after=_PAUSE,
                )
            added = [self._threads.submit(_fetch, registry, route) for route in routes]
            self._open.update(added)
        for future in added:
            future.add_done_callback(self._ended)
        return added

    def settle(self) -> None:
        """Wait until all that was added has ended."""
        with self._lock:
            added = tuple(self._open)
        wait(added)

    def close(self) -> None:
        """Give up what waits; what is being fetched ends with its download."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            self._open.discard(future)


def _fetch(registry: PullThroughRegistry, route: Route) -> None:
    try:
        resolved = registry.resolve(route)
        with resolved.body:
            resolved.proved()
    except VirtregError as error:
        _log.info("%s: %s could not be fetched: %s", registry.spec.name, route.path, error.message)
        raise

"""Waiting for an upstream no longer than is good for whoever could have a copy instead."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Final

from virtreg.service.resolution import Resolved

SECONDS: Final = 10.0

_THREADS: Final = 64


class Patience:
    """Lets what may take long go on without the request that began it, on threads of its own, of
    which there are so many; what finds none in time is not begun. Thread-safe."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="virtreg-patience")

    def wait(self, resolve: Callable[[], Resolved]) -> Future[Resolved] | Resolved:
        """What ``resolve`` returns, or when that takes too long what it will return, for
        :func:`abandon`. Raises what it raises."""
        resolving = self._threads.submit(copy_context().run, resolve)
        try:
            return resolving.result(self.seconds)
        except TimeoutError:
            if resolving.done():
                raise
            return resolving

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def abandon(resolving: Future[Resolved]) -> None:
    """Nobody wants to know any more what becomes of it."""
    resolving.cancel()
    resolving.add_done_callback(_close)


def _close(resolving: Future[Resolved]) -> None:
    if not resolving.cancelled() and resolving.exception() is None:
        resolving.result().body.close()

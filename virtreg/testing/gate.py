"""A place where a thread waits until the test says go."""

from __future__ import annotations

import threading

_PATIENCE = 30.0


class Gate:
    """Holds whoever passes through until released; safe between threads.

    Nothing sleeps: the test waits for somebody to arrive, then releases them.
    """

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._open = threading.Event()

    def arrive(self) -> None:
        """Called by the held side: blocks until :meth:`release`."""
        self._arrived.release()
        self._open.wait()

    def await_arrival(self, timeout: float = _PATIENCE) -> None:
        """Block until one more thread has arrived; raises AssertionError after ``timeout`` s."""
        if not self._arrived.acquire(timeout=timeout):
            raise AssertionError(f"nobody arrived at the gate in {timeout:g} s")

    def release(self) -> None:
        """Let everybody through, now and later."""
        self._open.set()

"""The connections of one upstream in one process: how many at once, and which are kept alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from virtreg.backends.http.guard import GuardedHTTPConnection

_LONGEST_IDLE = 30.0  # routers forget idle flows silently, often after a minute

Origin = tuple[str, str, int]


class Pool:
    """Slots for ``size`` exchanges at once, a quarter of them never for bulk, and at most as many
    idle connections. Thread-safe."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._size = size
        self._slots = threading.BoundedSemaphore(size)
        self._for_bulk = threading.BoundedSemaphore(size - size // 4)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Origin, GuardedHTTPConnection]] = []
        self._closed = False

    def acquire(self, timeout: float, *, bulk: bool = False) -> bool:
        """Take a slot, waiting at most ``timeout`` seconds; each is given back by ``release``,
        said to be ``bulk`` or not as here."""
        ends = self._clock() + timeout
        if bulk and not self._for_bulk.acquire(timeout=timeout):
            return False
        if self._slots.acquire(timeout=max(0.0, ends - self._clock())):
            return True
        if bulk:
            self._for_bulk.release()
        return False

    def release(self, *, bulk: bool = False) -> None:
        self._slots.release()
        if bulk:
            self._for_bulk.release()

    def take(self, origin: Origin) -> GuardedHTTPConnection | None:
        """The idle connection to this origin used last, if one is still good."""
        oldest = self._clock() - _LONGEST_IDLE
        while True:
            with self._lock:
                place = next(
                    (n for n in reversed(range(len(self._idle))) if self._idle[n][1] == origin),
                    None,
                )
                if place is None:
                    return None
                since, _, connection = self._idle.pop(place)
            # A readable idle connection was closed by the peer, or carries bytes nobody asked for.
            if since >= oldest and connection.is_connected:
                return connection
            connection.close()

    def keep(self, origin: Origin, connection: GuardedHTTPConnection) -> None:
        """Put a connection whose last response was read to its end aside for later."""
        surplus: GuardedHTTPConnection | None = connection
        with self._lock:
            if not self._closed:
                self._idle.append((self._clock(), origin, connection))
                surplus = self._idle.pop(0)[2] if len(self._idle) > self._size else None
        if surplus is not None:
            surplus.close()

    def close(self) -> None:
        """Close what is idle, and from now on what comes back."""
        with self._lock:
            self._closed = True
            self.abandon()

    def abandon(self) -> None:
        """Close what is idle, without taking the lock: a fork may have copied it locked."""
        while self._idle:
            self._idle.pop()[2].close()

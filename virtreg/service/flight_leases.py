"""Which node of many downloads: leases in the index that they share.

A lease is short and renewed while the flight is in the air, so that a node that dies keeps nobody
waiting for long. Without one, a download is made twice at worst: what is put is named by its
content.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Hashable
from hashlib import sha256
from itertools import count

from virtreg.errors import StorageError
from virtreg.protocols import EntryIndex

_log = logging.getLogger(__name__)

SECONDS = 15.0
"""How long a lease outlives the last sign of its holder."""

_AGAIN = 0.5
"""Seconds between two tries to give back what could not be given back."""

_SHORTEST = 0.02
_LONGEST = 0.25
"""Seconds between two tries for a lease that another node has."""


class FlightLease:
    """A lease that is held; watches its flight."""

    def __init__(self, end: Callable[[FlightLease], None], name: str, holder: str) -> None:
        self._end = end
        self.name = name
        self.holder = holder

    def answered(self, _result: object) -> None:
        """It is held until the body can be found in the index."""

    def landed(self) -> None:
        self._end(self)


class FlightLeases:
    """Of one process. One thread renews what is held and gives back what is not needed any more.
    Thread-safe.

    ``patience``: seconds for which the node that has the lease is waited for; longer than a lease
    lasts, so that the lease of a dead one passes on.
    """

    def __init__(
        self, index: EntryIndex, clock: Callable[[], float], *, patience: float = SECONDS + 5
    ) -> None:
        self._index = index
        self._clock = clock
        self._patience = patience
        self._process = f"{os.getpid()}-{uuid.uuid4().hex}"
        self._numbers = count()
        self._changed = threading.Condition()
        self._held: set[FlightLease] = set()
        self._ended: list[FlightLease] = []
        self._failing = False
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def take(self, key: Hashable) -> FlightLease | None:
        """Wait for the lease; None when it does not come, or nobody can tell whose it is."""
        lease = FlightLease(self._over, lease_name(key), f"{self._process}-{next(self._numbers)}")
        until = time.monotonic() + self._patience
        pause = _SHORTEST
        try:
            while not self._lease(lease, SECONDS):
                if time.monotonic() >= until or self._closed.wait(pause):
                    return None
                pause = min(pause * 2, _LONGEST)
        except StorageError as error:
            _log.warning("no lease for a download: %s", error.message)
            # The answer may have been lost, and not the question.
            self._forsake(lease)
            return None
        with self._changed:
            if not self._closed.is_set() and self._is_running():
                self._held.add(lease)
                return lease
        self._try(lease, 0)
        return None

    def close(self) -> None:
        """Give back what is held, and stop."""
        self._closed.set()
        with self._changed:
            self._ended += self._held
            self._held.clear()
            thread = self._thread
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _over(self, lease: FlightLease) -> None:
        with self._changed:
            if lease in self._held:
                self._held.discard(lease)
                self._ended.append(lease)
                self._changed.notify()

    def _forsake(self, lease: FlightLease) -> None:
        """Nobody needs it, if it is held at all."""
        with self._changed:
            if not self._closed.is_set() and self._is_running():
                self._ended.append(lease)
                self._changed.notify()

    def _is_running(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="virtreg-leases", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                _log.warning("no lease for a download: no thread can be started")
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        renewed_at = time.monotonic()
        late: dict[FlightLease, float] = {}
        """What could not be given back, and when it ends by itself."""
        while True:
            with self._changed:
                left = renewed_at + SECONDS / 3 - time.monotonic()
                if not self._ended and not self._closed.is_set() and left > 0:
                    self._changed.wait(min(left, _AGAIN) if late else left)
                ended, self._ended = self._ended, []
                closed = self._closed.is_set()
                held = list(self._held)
            late |= dict.fromkeys(ended, time.monotonic() + SECONDS)
            late = self._give_back(late)
            if closed:
                return
            if time.monotonic() - renewed_at >= SECONDS / 3:
                renewed_at = time.monotonic()
                for lease in held:
                    self._try(lease, SECONDS)

    def _give_back(self, late: dict[FlightLease, float]) -> dict[FlightLease, float]:
        """Those that are left: after one that cannot be given back no other is tried."""
        unable = False
        left: dict[FlightLease, float] = {}
        for lease, until in late.items():
            unable = unable or not self._try(lease, 0)
            if unable and time.monotonic() < until:
                left[lease] = until
        return left

    def _try(self, lease: FlightLease, seconds: float) -> bool:
        """Whether the index could be told."""
        try:
            self._lease(lease, seconds)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one failure
            if not self._failing:
                _log.warning("leases of downloads are not kept up: %s", type(error).__name__)
            self._failing = True
            return False
        self._failing = False
        return True

    def _lease(self, lease: FlightLease, seconds: float) -> bool:
        return self._index.lease(lease.name, lease.holder, self._clock(), seconds)


def lease_name(key: Hashable) -> str:
    """The same on every node."""
    return f"flight:{sha256(repr(key).encode(errors='backslashreplace')).hexdigest()}"

"""Keeping within quotas and policies, on a thread of the server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from virtreg.core.capacity import evicted_to
from virtreg.service.cleaning import Cleaner
from virtreg.service.room import Room

_log = logging.getLogger(__name__)

_INTERVAL = 60.0


class Keeping:
    """Once a minute, and as soon as a group is full, adds up what is used, evicts what is beyond
    quotas; runs policies that are due, once a minute too. ``tick`` is what it does then."""

    def __init__(self, cleaner: Cleaner, room: Room, clock: Callable[[], float]) -> None:
        self._cleaner = cleaner
        self._room = room
        self._clock = clock
        self._stopping = threading.Event()
        self._full = threading.Event()
        self._threads = [
            threading.Thread(target=self._evict, name="virtreg-eviction", daemon=True),
            threading.Thread(target=self._clean, name="virtreg-cleanup", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def filled(self) -> None:
        """A group may be beyond its quota. Returns at once; thread-safe."""
        self._full.set()

    def make_room(self) -> None:
        """Add up what is used, and evict what is too much. Raises StorageError."""
        self._room.look()
        evicted = False
        for settings in self._room.overfull():
            assert settings.storage_quota is not None
            removed = self._cleaner.evict(settings.group, evicted_to(settings.storage_quota))
            evicted = evicted or removed.entries > 0
        if evicted:
            self._room.look()

    def close(self) -> None:
        """Stop after the batch at hand."""
        self._stopping.set()
        self._full.set()
        self._cleaner.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _evict(self) -> None:
        while not self._stopping.is_set():
            try:
                self.make_room()
            except Exception:  # noqa: BLE001 - a plug-in's fault must not end the thread
                _log.warning("no room could be made", exc_info=True)
            # Not more often than every few seconds, however fast it fills.
            self._stopping.wait(_INTERVAL / 20)
            self._full.wait(_INTERVAL)
            self._full.clear()

    def _clean(self) -> None:
        while not self._stopping.wait(_INTERVAL):
            try:
                self._cleaner.run_due(self._clock())
            except Exception:  # noqa: BLE001 - as above
                _log.warning("cleanup failed", exc_info=True)

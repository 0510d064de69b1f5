"""What nobody wants any more: sources out of use, blobs of a run that was cut short, and counts of
downloads of what is not kept."""

from __future__ import annotations

import logging
from collections.abc import Callable

from virtreg.protocols import Inventory, Policies
from virtreg.service.batches import Batches
from virtreg.service.reclaiming import Reclaimer

_log = logging.getLogger(__name__)

LATE = 2 * 3600.0
"""Seconds after which no download that began before a change can bring anything any more."""

COUNTED = 3600.0
"""Seconds for which downloads are counted of what has no entry: it may be about to have one."""


class Remains:
    """Of one process. For one thread at a time, which holds the lease."""

    def __init__(
        self,
        index: Inventory,
        policies: Policies,
        reclaimer: Reclaimer,
        clock: Callable[[], float],
    ) -> None:
        self._index = index
        self._policies = policies
        self._reclaimer = reclaimer
        self._clock = clock
        self._empty_since: dict[str, float] = {}

    def clear(self, batches: Batches, checked: Callable[[], None]) -> None:
        """Remove the entries of retired sources, and blobs that are loose; ``checked`` is called
        between batches, and what it raises ends the work. Raises StorageError."""
        retired = self._policies.retired()
        for source in self._empty_since.keys() - set(retired):
            del self._empty_since[source]  # in use again
        for source in retired:
            self._clear_source(source, batches, checked)

        def goes_on() -> bool:
            checked()
            return True

        freed = self._reclaimer.free_all(goes_on)
        if freed:
            _log.info("freed %d bytes that nothing refers to any more", freed)

    def clear_counts(self, checked: Callable[[], None]) -> None:
        """Forget downloads of what is not kept. Raises as ``clear``."""
        after: tuple[str, str] | None = None
        while True:
            checked()
            strays, after = self._index.stray_counts(after)
            upto = self._clock() - COUNTED
            self._index.drop_counts([(source, path) for source, path, _ in strays], upto)
            if after is None:
                return

    def _clear_source(self, source: str, batches: Batches, checked: Callable[[], None]) -> None:
        while self._index.page(source, limit=1):
            checked()
            if source not in self._policies.retired():
                return  # in use again
            batches.remove_of(source)
            self._empty_since.pop(source, None)
        since = self._empty_since.setdefault(source, self._clock())
        if self._clock() - since >= LATE:
            self._policies.forget_retired(source)
            del self._empty_since[source]

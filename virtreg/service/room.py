"""Whether there is room to keep what was downloaded: a group's quota, and the disk itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from attrs import define

from virtreg.core.capacity import MOST_RESERVED, is_to_evict, keeps
from virtreg.errors import StorageError
from virtreg.managed import GroupSettings
from virtreg.protocols import Inventory, Policies

_log = logging.getLogger(__name__)

_LOOKED_EVERY = 1.0
"""Seconds for which the free bytes of the disk are believed."""


@define
class _Group:
    settings: GroupSettings
    used: int


class Room:
    """Decides from what was last added up and what was kept since, so that nobody waits. Nothing is
    refused for want of room: it is served and not kept. Thread-safe.

    ``free`` gives the bytes that the disk has left, of which ``reserve`` stay free; None where that
    means nothing. ``filled`` is called when there is more than a group's quota: it returns at once.
    """

    def __init__(
        self,
        index: Inventory,
        policies: Policies,
        clock: Callable[[], float],
        *,
        free: Callable[[], int | None] = lambda: None,
        reserve: int = MOST_RESERVED,
        filled: Callable[[], object] = lambda: None,
    ) -> None:
        self._index = index
        self._policies = policies
        self._clock = clock
        self._free = free
        self._reserve = reserve
        self._filled = filled
        self._lock = threading.Lock()
        self._groups: dict[str, _Group] = {}
        """By source; only those of groups with a quota."""
        self._left: int | None = None
        self._looked_at = float("-inf")
        self._told_full = False

    def allows(self, source: str, size: int = 0) -> bool:
        """Whether a body of that size is to be kept for a source; counts it as kept if so."""
        if not self._disk_allows(size):
            return False
        group = self._groups.get(source)
        if group is None:
            return True
        with self._lock:
            if not keeps(group.settings, group.used, size):
                return False
            group.used += size
        if is_to_evict(group.settings, group.used):
            self._filled()
        return True

    def look(self) -> None:
        """Add up anew what groups with a quota use. Slow; raises StorageError."""
        found: dict[str, _Group] = {}
        for name in sorted({spec.group for spec in self._policies.registries()}):
            settings = self._policies.settings(name)
            if settings.storage_quota is not None:
                sources = list(self._policies.sources_of(name))
                found |= dict.fromkeys(sources, _Group(settings, self._index.used(sources)))
        with self._lock:
            self._groups = found

    def quotas(self) -> Mapping[str, tuple[int, int]]:
        """``group -> (bytes kept, bytes allowed)`` of groups with a quota, as last added up."""
        with self._lock:
            return {
                each.settings.group: (each.used, each.settings.storage_quota)
                for each in self._groups.values()
                if each.settings.storage_quota is not None
            }

    def overfull(self) -> Sequence[GroupSettings]:
        """Groups that are to evict something."""
        with self._lock:
            groups = {each.settings.group: each for each in self._groups.values()}
        return [
            group.settings for group in groups.values() if is_to_evict(group.settings, group.used)
        ]

    def _disk_allows(self, size: int) -> bool:
        now = self._clock()
        if not 0 <= now - self._looked_at < _LOOKED_EVERY:
            self._looked_at = now
            try:
                self._left = self._free()
            except (OSError, StorageError):
                self._left = None
        full = self._left is not None and self._left - size < self._reserve
        if full != self._told_full:
            self._told_full = full
            if full:
                _log.warning("the disk is nearly full: what is downloaded now is not kept")
        return not full

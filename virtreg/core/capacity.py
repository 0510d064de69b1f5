"""Whether a cache may keep one body more."""

from __future__ import annotations

from virtreg.managed import GroupSettings

EVICTED_TO = 0.9
"""The part of a quota that is left after an eviction, so that not every download evicts."""

MOST_RESERVED = 512 * 1024 * 1024

_RESERVED = 0.05


def reserve_of(total: int) -> int:
    """Bytes of a disk of that size that stay free for downloads on their way."""
    return min(MOST_RESERVED, int(total * _RESERVED))


def keeps(settings: GroupSettings, used: int, size: int) -> bool:
    """Whether a group that uses so many bytes keeps a body of that size. One that could not be
    kept by evicting everything else is not kept."""
    quota = settings.storage_quota
    if quota is None:
        return True
    return size <= quota if settings.when_full == "evict" else used + size <= quota


def is_to_evict(settings: GroupSettings, used: int) -> bool:
    quota = settings.storage_quota
    return quota is not None and settings.when_full == "evict" and used > quota


def evicted_to(quota: int) -> int:
    """Bytes an eviction leaves."""
    return int(quota * EVICTED_TO)

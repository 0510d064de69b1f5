"""How long an entry is served without asking its upstream again.

Times are seconds since the epoch; an entry is fresh until, not including, the end of its validity
(RFC 9111, 4.2). Every validity counts from ``Entry.checked_at``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from virtreg.model import Entry, Freshness, UpstreamSpec

_HOUR = 3600.0

LONGEST_LISTING = 300.0
"""Seconds: who publishes something expects to see it listed soon."""

UNVOUCHED = -1.0
"""``Entry.checked_at`` of what is to be asked for again, however long it would be good: so is
everything below 0."""


def validity(freshness: Freshness, spec: UpstreamSpec) -> float:
    """Seconds a checked entry of this upstream stays fresh; infinity for always.

    Zero ``cache_validity_hours`` turns checks off. Zero ``metadata_cache_validity_hours`` means
    the opposite, a check each time, since those documents are meant to change; listings follow
    it, up to :data:`LONGEST_LISTING`.
    """
    if freshness is Freshness.IMMUTABLE:
        return math.inf
    if freshness is Freshness.METADATA:
        return spec.metadata_cache_validity_hours * _HOUR
    if freshness is Freshness.LISTING:
        return min(spec.metadata_cache_validity_hours * _HOUR, LONGEST_LISTING)
    return spec.cache_validity_hours * _HOUR if spec.cache_validity_hours else math.inf


def merged_validity(freshness: Freshness, specs: Iterable[UpstreamSpec]) -> float:
    """Seconds a merged document stays fresh: as long as its shortest-lived member.

    Raises ValueError when there are no members.
    """
    return min(validity(freshness, spec) for spec in specs)


def fresh_until(entry: Entry, freshness: Freshness, spec: UpstreamSpec) -> float:
    """When the entry becomes stale; infinity for never."""
    return _end(entry.checked_at, validity(freshness, spec))


def merged_fresh_until(entry: Entry, freshness: Freshness, specs: Sequence[UpstreamSpec]) -> float:
    """When a merged document of these members becomes stale; 0 when it is at any time, since a
    local member is asked each time."""
    if any(spec.local for spec in specs):
        return 0.0
    return _end(entry.checked_at, merged_validity(freshness, specs))


def is_fresh(entry: Entry, freshness: Freshness, spec: UpstreamSpec, now: float) -> bool:
    """Whether the entry may be served at ``now`` without asking."""
    return _within(entry.checked_at, validity(freshness, spec), now)


def merged_is_fresh(
    entry: Entry, freshness: Freshness, specs: Sequence[UpstreamSpec], now: float
) -> bool:
    """Whether a merged document of these members may be served at ``now`` without asking."""
    if any(spec.local for spec in specs):
        return False
    return _within(entry.checked_at, merged_validity(freshness, specs), now)


def _end(checked_at: float, seconds: float) -> float:
    return checked_at + seconds if checked_at >= 0 else checked_at


def _within(checked_at: float, seconds: float, now: float) -> bool:
    if checked_at < 0:
        return False
    # A check dated in the future is believed no longer than one validity, or a clock that was
    # wrong once would freeze the cache until its time comes.
    return checked_at - seconds <= now < checked_at + seconds

"""How requests end, in a few words that are always the same: for figures."""

from __future__ import annotations

from typing import Final

OUTCOMES: Final = (
    "ready",
    "hit",
    "miss",
    "joined",
    "stale",
    "revalidated",
    "merged",
    "absent",
    "refused",
    "invalid",
    "error",
    "other",
)
"""``ready``: repeated from memory. ``absent``: 404. ``refused``: 401, 403 and 429. ``invalid``: any
other 4xx. ``error``: 5xx. ``other``: what is no file of a registry. The rest as in
``X-Virtreg-Cache``."""

_REFUSED = frozenset({401, 403, 429})


def outcome_of(status: int, origin: str, *, ready: bool) -> str:
    """One of ``OUTCOMES``. ``origin`` is that of a resolution, or an error's code."""
    if status >= 500:
        return "error"
    if status in _REFUSED:
        return "refused"
    if status in (404, 410):
        return "absent"
    if status >= 400:
        return "invalid"
    if ready:
        return "stale" if origin == "stale" else "ready"
    return origin if origin in OUTCOMES else "other"

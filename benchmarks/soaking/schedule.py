"""When things break, by the seconds since the beginning: everybody knows without being told."""

from __future__ import annotations

CYCLE = 30.0
TROUBLE = 18.0
"""Seconds of a cycle in which things break; they are well in the rest of it."""
MENDED = 8.0
"""Seconds after which nothing should be felt any more."""


def troubled(at: float) -> bool:
    """Whether things break."""
    return at % CYCLE < TROUBLE


def calm(since: float, until: float) -> bool:
    """Whether all was well for as long, and had been well for a while."""
    return (
        until - since < CYCLE
        and since % CYCLE >= TROUBLE + MENDED
        and since % CYCLE <= until % CYCLE
    )

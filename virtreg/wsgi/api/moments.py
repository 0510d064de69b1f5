"""Moments as GitLab's API writes them: ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_AFTER_ALL: Final = 253_402_300_800.0
"""The year 10000, for which the notation has no room; validities may reach beyond it, and what is
never is infinite."""
_LAST: Final = "9999-12-31T23:59:59.999Z"


def moment(seconds: float) -> str:
    """Of seconds since the epoch; the end of the year 9999 for what is later."""
    if seconds >= _AFTER_ALL:
        return _LAST
    told = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


def moment_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)

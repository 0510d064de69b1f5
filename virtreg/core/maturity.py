"""Whether a release has been out for long enough to be taken."""

from __future__ import annotations

from datetime import UTC, datetime

from virtreg.core.httpdate import parse_http_date

_HOUR = 3600.0


def immaturity(last_modified: str | None, hours: float, now: float) -> str | None:
    """Why a release with this ``Last-Modified`` (RFC 9110, 8.8.2) is not taken ``now``, in one
    line; None when it is, at least ``hours`` after that moment."""
    released = None if last_modified is None else parse_http_date(last_modified)
    if released is None:
        return "not dated by the upstream, which takes a minimum release age"
    ripe = released + hours * _HOUR
    if now >= ripe:
        return None
    return f"{_age(now - released)}; taken from {_moment(ripe)}"


def _age(seconds: float) -> str:
    if seconds < 0:
        return "dated in the future"
    if seconds < _HOUR:
        return f"released {seconds / 60:.0f} min ago"
    return f"released {seconds / _HOUR:.0f} h ago"


def _moment(seconds: float) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError):
        return "no date there is"
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

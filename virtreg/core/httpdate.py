"""HTTP dates (RFC 9110, 5.6.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHORT_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_SHORT = "|".join(_SHORT_DAYS)
_LONG = "|".join(_LONG_DAYS)
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_CLOCK = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

_IMF_FIXDATE = re.compile(
    f"(?:{_SHORT}), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_CLOCK} GMT"
)
_RFC850 = re.compile(
    f"(?P<name>{_LONG}), (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_CLOCK} GMT"
)
_ASCTIME = re.compile(
    f"(?:{_SHORT}) {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_CLOCK} (?P<year>[0-9]{{4}})"
)


def parse_http_date(text: str) -> int | None:
    """Seconds since the epoch for an IMF-fixdate, RFC 850 or asctime date; None for anything
    else. The obsolete two-digit year belongs to the century in which the day name is right, so
    that no clock is needed. A leap second counts as the second after it.
    """
    text = text.strip(" \t")
    if match := _IMF_FIXDATE.fullmatch(text) or _ASCTIME.fullmatch(text):
        return _seconds(match, int(match["year"]))
    if match := _RFC850.fullmatch(text):
        weekday = _LONG_DAYS.index(match["name"])
        for century in (1900, 2000):
            seconds = _seconds(match, century + int(match["year"]))
            if seconds is not None and datetime.fromtimestamp(seconds, UTC).weekday() == weekday:
                return seconds
    return None


def print_http_date(seconds: float) -> str | None:
    """An IMF-fixdate for seconds since the epoch; None for a year that has not four digits, such
    as that of a file with a wild date."""
    try:
        at = datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        return None
    day, month = _SHORT_DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day}, {at.day:02} {month} {at.year:04} {at:%H:%M:%S} GMT"


def _seconds(match: re.Match[str], year: int) -> int | None:
    second = int(match["second"])
    if second > 60:
        return None
    month = _MONTHS.index(match["month"]) + 1
    try:
        minute = datetime(
            year, month, int(match["day"]), int(match["hour"]), int(match["minute"]), tzinfo=UTC
        )
    except ValueError:
        return None
    return int(minute.timestamp()) + second

"""How long to wait before asking an upstream again."""

from __future__ import annotations

from virtreg.core.httpdate import parse_http_date

MAX_RETRY_AFTER = 300.0
"""Longest wait, in seconds, an upstream can impose with ``Retry-After``."""


def backoff_delay(attempt: int, jitter: float, *, base: float = 0.25, cap: float = 10.0) -> float:
    """Seconds to wait before retry ``attempt`` (0 for the first), with full jitter.

    ``jitter`` is a random number in [0, 1) drawn by the caller: the result is that share of
    ``base`` doubled ``attempt`` times, at most ``cap``. Drawing anew each time keeps many clients
    from returning together.
    """
    return jitter * min(cap, base * 2.0 ** min(attempt, 60))


def parse_retry_after(value: str, now: float, *, cap: float = MAX_RETRY_AFTER) -> float | None:
    """Seconds to wait according to a ``Retry-After`` value (RFC 9110, 10.2.3), from 0 to ``cap``.

    ``value`` is a number of seconds or an HTTP date, which is compared with ``now``, in seconds
    since the epoch. None when it is neither.
    """
    text = value.strip(" \t")
    if text.isascii() and text.isdigit():
        return cap if len(text) > 9 else min(cap, float(text))
    moment = parse_http_date(text)
    return None if moment is None else min(cap, max(0.0, moment - now))

"""What a response's status and headers mean, before any byte of its body."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from http import HTTPStatus

from virtreg.core.backoff import parse_retry_after
from virtreg.errors import (
    IntegrityError,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from virtreg.model import Fetch

_OF_ITS_OWN = (407, 408)
"""Statuses that say 4xx and mean trouble on the way."""

_DEFINITE = (501,)
"""Statuses that say 5xx of a server that is well: it does not know the method."""

_FOLD = re.compile(r"[\r\n]+[ \t]*|\0")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:[0-9]{1,18}|\*)")


def fold_headers(message: http.client.HTTPMessage) -> dict[str, str]:
    """Lower-case names; repeated fields joined by a comma (RFC 9110, 5.3), line folding undone
    (RFC 9112, 5.2), and a space for each null character (RFC 9110, 5.5), which some databases do
    not take."""
    headers: dict[str, str] = {}
    for name, value in message.items():
        key = name.lower()
        text = _FOLD.sub(" ", value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def check_status(upstream: str, status: int, headers: Mapping[str, str], now: float) -> None:
    """Return for 200, 206, 304, 404 and 410, raise the UpstreamError any other status means.

    ``now`` is seconds since the epoch, for a ``Retry-After`` that is a date.
    """
    if status in (200, 206, 304, 404, 410):
        return
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    said = f"upstream {upstream!r}: {status} {phrase}"
    if status in (401, 403):
        raise UpstreamRefused(said, upstream=upstream)
    wait = parse_retry_after(headers.get("retry-after", ""), now)
    if status == 429 or (status == 503 and wait is not None):
        raise UpstreamThrottled(said, upstream=upstream, retry_after=wait)
    if (400 <= status < 500 and status not in _OF_ITS_OWN) or status in _DEFINITE:
        raise UpstreamError(said, upstream=upstream)
    raise UpstreamUnavailable(said, upstream=upstream)


def check_lines(upstream: str, message: http.client.HTTPMessage) -> None:
    """Raise UpstreamUnavailable when a line of the head is no field line (RFC 9112, 5): what
    follows it was not read, and that may be how the body ends."""
    if message.defects:
        raise UpstreamUnavailable(
            f"upstream {upstream!r}: malformed header line", upstream=upstream
        )


def check_framing(upstream: str, headers: Mapping[str, str]) -> int | None:
    """The declared length, or None for a body that ends by itself (RFC 9112, 6.3).

    Raises UpstreamUnavailable for framing http.client would misread.
    """
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            raise UpstreamUnavailable(
                f"upstream {upstream!r}: Transfer-Encoding is not chunked", upstream=upstream
            )
        return None
    length = headers.get("content-length")
    if length is None:
        return None
    if not _LENGTH.fullmatch(length):
        raise UpstreamUnavailable(
            f"upstream {upstream!r}: malformed Content-Length", upstream=upstream
        )
    return int(length)


def check_found(upstream: str, request: Fetch, status: int, headers: Mapping[str, str]) -> None:
    """Raise IntegrityError for a 200, 206 or 304 that is not what was asked for."""
    said = None
    coding = headers.get("content-encoding", "identity").lower()
    if status == 304 and request.known is None:
        said = "304 Not Modified to an unconditional request"
    elif status in (200, 206) and coding not in ("", "identity"):
        said = "body has a Content-Encoding although none was accepted"
    elif status == 206:
        said = _misplaced(request, headers.get("content-range", ""))
    if said is not None:
        raise IntegrityError(f"upstream {upstream!r}: {said}", upstream=upstream)


def _misplaced(request: Fetch, content_range: str) -> str | None:
    """What is wrong with the place of a partial body (RFC 9110, 14.4)."""
    start, stop = request.offset, request.stop
    match = _CONTENT_RANGE.fullmatch(content_range)
    if match is None or (start == 0 and stop is None) or int(match[1]) != start:
        return f"206 Partial Content does not start at the offset asked for, {start}"
    if stop is not None and not start <= int(match[2]) < stop:
        return f"206 Partial Content goes beyond the bytes asked for, {start} to {stop - 1}"
    return None

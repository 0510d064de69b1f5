"""Conditional and range requests: what a request with preconditions gets of a body.

The order of evaluation is RFC 9110, 13.2.2. Nothing here knows the body, only its validators.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from virtreg.core.etags import parse_tags, strong_match, weak_match
from virtreg.core.httpdate import parse_http_date
from virtreg.core.ranges import Span, select_ranges


@frozen
class Conditions:
    """The method and the conditional headers of a request as they came; None for absent ones."""

    method: str = "GET"
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None
    if_range: str | None = None
    range: str | None = None


@frozen
class Full:
    """200 with the whole body."""


@frozen
class Partial:
    """206. One range is sent as it is, several as ``multipart/byteranges``."""

    ranges: tuple[Span, ...]
    """At least one, as ``(start, stop)``: non-empty, inside the body, apart from each other."""


@frozen
class NotModified:
    """304 without a body."""


@frozen
class PreconditionFailed:
    """412."""


@frozen
class Unsatisfiable:
    """416 with ``Content-Range: bytes */<size>``."""


Decision = Full | Partial | NotModified | PreconditionFailed | Unsatisfiable

FULL: Final = Full()
NOT_MODIFIED: Final = NotModified()
PRECONDITION_FAILED: Final = PreconditionFailed()
UNSATISFIABLE: Final = Unsatisfiable()


def decide(
    conditions: Conditions, *, etag: str | None, last_modified: str | None, size: int | None
) -> Decision:
    """What a request gets of an existing body with these validators.

    ``etag`` is an entity tag with its quotes, or None while the bytes are not proved yet: then no
    tag matches and no ``If-Range`` holds. ``last_modified`` is an HTTP date or None; date headers
    are ignored without it. ``size`` is in bytes, or None while unknown: then ``Range`` is ignored,
    so a caller that wants to honour it waits for the size first. Malformed headers never raise.
    """
    if (
        conditions.range is None
        and conditions.if_none_match is None
        and conditions.if_modified_since is None
        and conditions.if_match is None
        and conditions.if_unmodified_since is None
    ):
        return FULL
    if _must_fail(conditions, etag, last_modified):
        return PRECONDITION_FAILED
    if _unchanged(conditions, etag, last_modified):
        return NOT_MODIFIED if conditions.method in ("GET", "HEAD") else PRECONDITION_FAILED
    if (
        conditions.range is None
        or conditions.method != "GET"
        or size is None
        or not _range_applies(conditions.if_range, etag, last_modified)
    ):
        return FULL
    ranges = select_ranges(conditions.range, size)
    if ranges is None:
        return FULL
    return Partial(ranges) if ranges else UNSATISFIABLE


def _must_fail(conditions: Conditions, etag: str | None, last_modified: str | None) -> bool:
    """``If-Match``, else ``If-Unmodified-Since`` (RFC 9110, 13.1.1 and 13.1.4)."""
    if conditions.if_match is not None:
        if conditions.if_match.strip(" \t") == "*":
            return False
        tags = parse_tags(conditions.if_match)
        return etag is None or not any(strong_match(tag, etag) for tag in tags)
    since = _seconds(conditions.if_unmodified_since)
    modified = _seconds(last_modified)
    return since is not None and modified is not None and modified > since


def _unchanged(conditions: Conditions, etag: str | None, last_modified: str | None) -> bool:
    """``If-None-Match``, else ``If-Modified-Since`` (RFC 9110, 13.1.2 and 13.1.3)."""
    if conditions.if_none_match is not None:
        if conditions.if_none_match.strip(" \t") == "*":
            return True
        tags = parse_tags(conditions.if_none_match)
        return etag is not None and any(weak_match(tag, etag) for tag in tags)
    if conditions.method not in ("GET", "HEAD"):
        return False
    since = _seconds(conditions.if_modified_since)
    modified = _seconds(last_modified)
    return since is not None and modified is not None and modified <= since


def _range_applies(if_range: str | None, etag: str | None, last_modified: str | None) -> bool:
    """``If-Range`` (RFC 9110, 13.1.5). A date counts as a strong validator when it is exactly the
    body's own: the bytes behind a path's Last-Modified are replaced whole, never edited."""
    if if_range is None:
        return True
    if etag is None:
        return False
    if strong_match(if_range.strip(" \t"), etag):
        return True
    since = _seconds(if_range)
    return since is not None and since == _seconds(last_modified)


def _seconds(date: str | None) -> int | None:
    return None if date is None else parse_http_date(date)

"""The frame around several byte ranges in one answer (RFC 9110, 14.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from virtreg.core.ranges import Span, content_range

_BOUNDARY = re.compile(r"[0-9A-Za-z_-]{1,70}")
_FIELD_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@frozen
class MultipartPlan:
    """What a ``multipart/byteranges`` body is made of: for each part its preamble, then the bytes
    ``start <= i < stop``; after the last part ``closing``."""

    content_type: str
    """Of the whole answer, boundary included."""
    length: int
    """``Content-Length`` in bytes."""
    parts: tuple[tuple[bytes, int, int], ...]
    closing: bytes


def multipart(
    boundary: str, media_type: str | None, ranges: Sequence[Span], size: int
) -> MultipartPlan:
    """Frame ``ranges`` of a body of ``size`` bytes and of type ``media_type``.

    ``boundary`` must be 1 to 70 letters, digits, ``-`` or ``_`` and unlikely to occur in the body.
    Raises ValueError for another boundary or for a media type that is no header value.
    """
    if _BOUNDARY.fullmatch(boundary) is None:
        raise ValueError("boundary: must be 1 to 70 letters, digits, '-' or '_'")
    kind = ""
    if media_type is not None:
        if _FIELD_VALUE.fullmatch(media_type) is None:
            raise ValueError("media_type: must be printable ASCII without surrounding spaces")
        kind = f"Content-Type: {media_type}\r\n"
    parts: list[tuple[bytes, int, int]] = []
    for start, stop in ranges:
        opening = "\r\n" if parts else ""
        where = content_range(start, stop, size)
        preamble = f"{opening}--{boundary}\r\n{kind}Content-Range: {where}\r\n\r\n"
        parts.append((preamble.encode("ascii"), start, stop))
    closing = f"\r\n--{boundary}--\r\n".encode("ascii")
    return MultipartPlan(
        content_type=f"multipart/byteranges; boundary={boundary}",
        length=sum(len(preamble) + stop - start for preamble, start, stop in parts) + len(closing),
        parts=tuple(parts),
        closing=closing,
    )

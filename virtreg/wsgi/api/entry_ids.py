"""The identifiers of cache entries: URL-safe Base64 (RFC 4648, 5) of an upstream's number, a blank
and the path. Clients take them as they are."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_CONTENT: Final = re.compile(r"([0-9]{1,15}) /?(.+)", re.DOTALL)
_STANDARD: Final = str.maketrans("+/", "-_")


def entry_id(upstream_id: int, path: str) -> str:
    return base64.urlsafe_b64encode(f"{upstream_id} {path}".encode()).decode()


def parse_entry_id(text: str) -> tuple[int, str] | None:
    """The upstream's number and the path, without a slash before it; None for what is no
    identifier. Padding may be missing, and standard Base64 (RFC 4648, 4) be used instead."""
    bare = text.rstrip("=").translate(_STANDARD)
    try:
        # Decoding skips what is no Base64, so that many texts would be the same entry.
        encoded = bare.encode("ascii")
        content = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        if base64.urlsafe_b64encode(content).rstrip(b"=") != encoded:
            return None
        match = _CONTENT.fullmatch(content.decode())
    except (binascii.Error, UnicodeError):
        return None
    return None if match is None else (int(match[1]), match[2])

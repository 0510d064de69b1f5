"""Entity tags: the grammar and the two ways to compare (RFC 9110, 8.8.3)."""

from __future__ import annotations

import re

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)+")


def etag_of(sha256: str) -> str:
    """The strong entity tag of a body, from its SHA-256 in hex."""
    return f'"sha256:{sha256}"'


def parse_tags(header: str) -> tuple[str, ...]:
    """The entity tags of an ``If-Match`` or ``If-None-Match`` list, as written, ``W/`` included.

    A list with anything else in it is empty: half of it cannot be trusted.
    """
    text = header.strip(" \t,")
    tags: list[str] = []
    at = 0
    while match := _TAG.match(text, at):
        tags.append(match.group())
        if match.end() == len(text):
            return tuple(tags)
        separator = _SEPARATOR.match(text, match.end())
        if separator is None:
            break
        at = separator.end()
    return ()


def strong_match(one: str, other: str) -> bool:
    """Equal, and neither is weak (RFC 9110, 8.8.3.2)."""
    return one == other and not one.startswith("W/")


def weak_match(one: str, other: str) -> bool:
    """Equal but for weakness (RFC 9110, 8.8.3.2)."""
    return one.removeprefix("W/") == other.removeprefix("W/")

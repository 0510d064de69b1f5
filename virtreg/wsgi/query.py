"""The query of a request's URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from virtreg.errors import InvalidRequest

NAMESPACE = "ns"
"""Names the registry that a client means, and asks nothing of a document."""

_ONLY_NAMESPACE = f"{NAMESPACE}="
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")


def parse_query(query: str) -> Mapping[str, str]:
    """The first value of each name in ``QUERY_STRING``, decoded; a name alone has an empty one.

    ``+`` is itself (RFC 3986, 2.2), as in the media types that registries are asked for. Raises
    InvalidRequest naming the parameter for a broken escape and for what is not UTF-8.
    """
    found: dict[str, str] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found.setdefault(_decoded(name, name), _decoded(value, name))
    return found


def asks(query: str) -> bool:
    """Whether ``QUERY_STRING`` may ask for a part of a document."""
    return bool(query) and not (query.startswith(_ONLY_NAMESPACE) and "&" not in query)


def _decoded(text: str, name: str) -> str:
    if "%" not in text and text.isascii():
        return text
    if _BROKEN.search(text):
        raise InvalidRequest(f"query: {name[:100]!r} has a percent sign that escapes nothing")
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode("utf-8")
    except UnicodeError:
        raise InvalidRequest(f"query: {name[:100]!r} is not UTF-8") from None

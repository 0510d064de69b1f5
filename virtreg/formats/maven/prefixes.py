"""``.meta/prefixes.txt``: which paths a repository can hold at all.

Clients that read it (Maven Resolver, "Remote repository filtering") ask for nothing outside of
it, so the list of a virtual registry must be the union of *every* upstream's list. Where one
upstream has none, or one that cannot be read, the only truth is that there is no list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from virtreg.errors import NotFound
from virtreg.formats.maven.paths import PREFIXES

HEADER = "## repository-prefixes/2.0"
_UNSUPPORTED = "@ unsupported"
_PREFIX = re.compile(r"(/[^/\s\x00-\x1f\x7f]+)+/?")


def merge(documents: Sequence[tuple[str, bytes]]) -> bytes:
    """The union of the lists, sorted; a list that all agree on comes back byte for byte.

    Raises NotFound, naming the upstream, when one list is unusable or says ``@ unsupported``.
    """
    prefixes = {prefix for upstream, document in documents for prefix in _read(upstream, document)}
    first = documents[0][1]
    if all(document == first for _, document in documents):
        return first
    return "\n".join([HEADER, *sorted(prefixes), ""]).encode()


def _read(upstream: str, document: bytes) -> list[str]:
    try:
        lines = [line.strip() for line in document.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        raise _no_union(upstream, "it is not UTF-8") from error
    lines = [line for line in lines if line]
    if lines[:1] != [HEADER]:
        raise _no_union(upstream, f"its first line is not {HEADER!r}")
    prefixes = [line for line in lines if not line.startswith("#")]
    for line in prefixes:
        if line.startswith(_UNSUPPORTED):
            raise _no_union(upstream, f"it says {_UNSUPPORTED!r}")
        if not _PREFIX.fullmatch(line):
            raise _no_union(upstream, f"it has the line {line[:80]!r}, which is no prefix")
    return prefixes


def _no_union(upstream: str, reason: str) -> NotFound:
    return NotFound(f"{PREFIXES} of {upstream} cannot be merged: {reason}")

"""Whether an upstream's answer can be the file asked for, from its first bytes.

Login pages, proxy errors and empty bodies come with status 200; caching one as a POM or a jar
breaks builds until somebody purges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from virtreg.formats.openings import html, opening

_Start = TypeVar("_Start", str, bytes)
_Rule = tuple[tuple[str, ...], tuple[_Start, ...], str]
"""File name endings, what such files begin with, and how to say so."""

_HTML_NAMES = (".html", ".htm", ".xhtml")

_TEXTS: tuple[_Rule[str], ...] = (
    ((".pom", ".xml"), ("<",), "XML, which begins with '<'"),
    ((".module", ".json"), ("{", "["), "JSON, which begins with '{' or '['"),
)
# "#!": an archive may follow a launch script, which makes an executable jar.
_BINARIES: tuple[_Rule[bytes], ...] = (
    ((".jar", ".war", ".ear", ".aar", ".zip"), (b"PK", b"#!"), "an archive, which begins with PK"),
    ((".gz", ".tgz"), (b"\x1f\x8b",), "gzip, which begins with 1F 8B"),
)


def refusal(path: str, headers: Mapping[str, str], head: bytes) -> str | None:
    """Why this cannot be the file at ``path``, or None.

    ``headers`` has lower-case names; ``head`` is the start of the body, and empty only when the
    body is.
    """
    name = path.rsplit("/", 1)[-1].lower()
    text = opening(head)
    if not name.endswith(_HTML_NAMES):
        page = html(headers, head)
        if page is not None:
            return f"expected {name}, got {page}"
    for endings, characters, kind in _TEXTS:
        if name.endswith(endings) and not text.startswith(characters):
            return _mismatch(kind, head)
    for endings, magics, kind in _BINARIES:
        if name.endswith(endings) and not head.startswith(magics):
            return _mismatch(kind, head)
    return None


def _mismatch(kind: str, head: bytes) -> str:
    if not head:
        return f"expected {kind}, got an empty body"
    return f"expected {kind}, got the bytes {head[:4].hex(' ').upper()}"

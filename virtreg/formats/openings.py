"""What the first bytes of a body look like to a reader: web pages come in place of files."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_HTML_OPENINGS = ("<!doctype html", "<html")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def opening(head: bytes) -> str:
    """The text the body begins with, after a byte order mark and white space."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return head.removeprefix(mark).decode(encoding, "replace").lstrip()
    return head.decode("latin-1").lstrip()


def media_type(headers: Mapping[str, str]) -> str:
    """``Content-Type`` without parameters in lower case; ``headers`` has lower-case names."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def html(headers: Mapping[str, str], head: bytes) -> str | None:
    """How to call the web page that this answer is, or None."""
    if opening(head).lower().startswith(_HTML_OPENINGS):
        return "an HTML page"
    kind = media_type(headers)
    return f"content of type {kind}" if kind in _HTML_TYPES else None

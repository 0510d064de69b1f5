"""Judging an upstream's answer by its headers and first bytes."""

from __future__ import annotations

from collections.abc import Mapping

from virtreg.errors import InvalidRequest
from virtreg.formats.container.media_types import says_nothing
from virtreg.formats.container.names import parse_digest
from virtreg.formats.container.outline import stated_type
from virtreg.formats.container.routes import split
from virtreg.formats.openings import html
from virtreg.model import Digests, Examination, Route

_WHAT = {"manifests": "a manifest", "tags": "a list of tags", "referrers": "a list of referrers"}
_SPACE = b" \t\r\n"


def examine(route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
    """``headers`` has lower-case names. ``head`` is empty for an answer to HEAD, which is judged
    by its headers alone.

    A blob may be anything, a web page too; its digest decides.
    """
    kind = split(route.path)[1]
    if kind == "blobs":
        return Examination(_claims(headers))
    expected = _WHAT.get(kind or "", "a list")
    refusal = _refusal(expected, headers, head)
    if kind != "manifests":
        return Examination(refusal=refusal)
    claims = _claims(headers)
    if refusal is None and not head and not claims and headers.get("content-length") == "0":
        refusal = f"expected {expected}, got an empty body"
    content_type = stated_type(head) if says_nothing(headers.get("content-type", "")) else None
    return Examination(claims, refusal, content_type)


def _claims(headers: Mapping[str, str]) -> Digests:
    """The digest that the registry states (OCI distribution-spec 1.1.1, "Pulling manifests")."""
    try:
        algorithm, encoded = parse_digest(headers.get("docker-content-digest", "").strip())
    except InvalidRequest:
        return {}
    return {algorithm: encoded}


def _refusal(expected: str, headers: Mapping[str, str], head: bytes) -> str | None:
    page = html(headers, head)
    if page is not None:
        return f"expected {expected}, got {page}"
    if head and not head.lstrip(_SPACE).startswith(b"{"):
        return f"expected {expected}, which is JSON, got the bytes {head[:4].hex(' ').upper()}"
    return None

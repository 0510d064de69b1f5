"""Judging an upstream's answer by its headers and first bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from virtreg.errors import IntegrityError, InvalidRequest
from virtreg.formats.container.documents import read
from virtreg.formats.container.media_types import bare, says_nothing
from virtreg.formats.container.names import parse_digest
from virtreg.formats.container.outline import own_type, stated_type
from virtreg.formats.container.routes import split
from virtreg.formats.openings import html
from virtreg.model import Digests, Examination, Route

_WHAT = {"manifests": "a manifest", "tags": "a list of tags", "referrers": "a list of referrers"}
_STATED = ("schemaVersion", "mediaType")
"""Every kind of manifest has one of these, and no error that was sent with 200."""
_SPACE = b" \t\r\n"
_EXAMINED = 4096
"""Fewer bytes are the whole body."""


def examine(route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
    """``headers`` has lower-case names. ``head`` is empty for an answer to HEAD, which is judged
    by its headers alone.

    A blob may be anything, a web page too; its digest decides, where there are bytes.
    """
    kind = split(route.path)[1]
    if kind == "blobs":
        return Examination(_claims(headers), None if head else _unlike_blob(route, headers))
    expected = _WHAT.get(kind or "", "a list")
    refusal = _refusal(expected, headers, head)
    if kind != "manifests":
        return Examination(refusal=refusal)
    claims = _claims(headers)
    if refusal is None and not claims and route.digest is None:
        refusal = _incomplete(headers, head)
    return Examination(claims, refusal, _media_type(headers.get("content-type", ""), head))


def _unlike_blob(route: Route, headers: Mapping[str, str]) -> str | None:
    if route.digest is not None and route.digest[1] == hashlib.new(route.digest[0]).hexdigest():
        return None
    if headers.get("content-length") == "0":
        return "expected a blob, got an empty body"
    page = html(headers, b"")
    return None if page is None else f"expected a blob, got {page}"


def _incomplete(headers: Mapping[str, str], head: bytes) -> str | None:
    """What is wrong with a manifest that no digest proves: it may have been cut on its way."""
    if not head:
        empty = headers.get("content-length", "0") == "0"
        return "expected a manifest, got an empty body" if empty else None
    if len(head) < _EXAMINED:
        try:
            document = read(head, _EXAMINED)
        except IntegrityError as error:
            return f"expected a manifest: {error.message}"
        if not document.keys() & set(_STATED):
            return f"expected a manifest: the document has none of {', '.join(_STATED)}"
    return None


def _media_type(stated: str, head: bytes) -> str | None:
    """What a manifest is, where its header leaves that open or contradicts the document itself
    (OCI image-spec 1.1, "Image Manifest": both must be the same). The bytes are fixed by a digest
    and the header is not, and clients pick by it how the bytes are read."""
    own = own_type(head)
    if own is not None:
        return None if own == bare(stated) else own
    return stated_type(head) if says_nothing(stated) else None


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

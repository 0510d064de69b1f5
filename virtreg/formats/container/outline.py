"""What kind of manifest a document is, from its first bytes.

A client believes the ``Content-Type`` of a manifest, and some servers and file hosts do not send
a useful one. The document itself knows: it states its ``mediaType``, or else is told apart by its
fields, as OCI image-spec 1.1 ("Image Index", "Image Manifest") has them.
"""

from __future__ import annotations

import re

from virtreg.formats.container.media_types import OCI_INDEX, OCI_MANIFEST, bare, says_nothing

_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)("?)|[\[\]{}:,]', re.DOTALL)


def stated_type(head: bytes) -> str | None:
    """The media type of the manifest that begins with ``head`` (4096 bytes at most), or None.

    Only the document's own fields count, never those of the descriptors in it.
    """
    fields = _top_level(head)
    stated = bare(fields.get(b"mediaType", b"").decode("latin-1"))
    if stated is not None:
        return stated
    if b"manifests" in fields:
        return OCI_INDEX
    return OCI_MANIFEST if fields.keys() & {b"config", b"layers"} else None


def own_type(head: bytes) -> str | None:
    """The ``mediaType`` that the document itself states, if it is one that a manifest can have."""
    stated = bare(_top_level(head).get(b"mediaType", b"").decode("latin-1"))
    if stated is None or says_nothing(stated) or not stated.startswith("application/"):
        return None
    return stated


def _top_level(head: bytes) -> dict[bytes, bytes]:
    """The outermost object's fields as far as the bytes go, with the values that are strings; a
    string that is cut off ends them."""
    fields: dict[bytes, bytes] = {}
    depth = 0
    text: bytes | None = None
    key: bytes | None = None
    for token in _TOKEN.finditer(head):
        mark = token[0]
        if token[2] == b"":
            break
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
        elif depth != 1:
            continue
        elif mark == b":":
            key = text
            if key is not None:
                fields[key] = b""
        elif mark == b",":
            key = None
        elif key is None:
            text = token[1]
        else:
            fields[key] = token[1]
    return fields

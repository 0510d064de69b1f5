"""What a manifest refers to (OCI image-spec 1.1, "Image Manifest", "Image Index", "Descriptor")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from attrs import frozen

from virtreg.errors import IntegrityError, InvalidRequest
from virtreg.formats.container.documents import MAX_MANIFEST_BYTES, read
from virtreg.formats.container.names import parse_digest
from virtreg.model import Algorithm

_INDEX = "manifests"
_PARTS = ("config", "layers", "blobs")
"""``blobs`` is what the layers of the withdrawn artifact manifest are called."""
_MOST_BYTES = 2**63 - 1
"""A size is an int64 (OCI image-spec 1.1, "Descriptors")."""


@frozen
class Descriptor:
    """One reference to other content."""

    media_type: str
    """As stated; empty where the descriptor has none."""
    digest: tuple[Algorithm, str]
    size: int
    """Bytes."""
    platform: str | None
    """``<os>/<architecture>[/<variant>]``, such as ``linux/arm/v7``, for a manifest in an index;
    attestations say ``unknown/unknown``. None where nothing is said."""
    kind: Literal["manifest", "blob"]
    """Under which endpoint the content is found."""


def children(document: bytes) -> tuple[Descriptor, ...]:
    """What must be pulled to have the whole of this manifest or index, in the order stated.

    Any media type is taken as it comes, an index inside an index too. Left out are a ``subject``,
    which is no part of the image, and layers with ``urls``, which lie outside the registry.

    Raises IntegrityError, naming the field, for what is no manifest: the field ``config``,
    ``layers`` or ``blobs`` makes an image, ``manifests`` an index. A document with both would be
    read in one way by one client and otherwise by the next, and is refused.
    """
    manifest = read(document, MAX_MANIFEST_BYTES)
    parts = [field for field in _PARTS if field in manifest]
    if _INDEX in manifest:
        if parts:
            raise IntegrityError(f"the manifest has both {_INDEX!r} and {parts[0]!r}")
        return tuple(
            _descriptor(entry, where, "manifest") for where, entry in _listed(manifest, _INDEX)
        )
    if not parts:
        raise IntegrityError("the document is no manifest: it has no config, layers or manifests")
    return tuple(
        _descriptor(entry, where, "blob")
        for field in parts
        for where, entry in _listed(manifest, field)
        if not (isinstance(entry, dict) and entry.get("urls"))
    )


def _listed(manifest: dict[str, Any], field: str) -> Iterator[tuple[str, Any]]:
    """The descriptors of one field with the place of each."""
    value = manifest[field]
    if field == "config":
        yield field, value
        return
    if value is None:
        return
    if not isinstance(value, list):
        raise IntegrityError(f"{field} is no list")
    for at, entry in enumerate(value):
        yield f"{field}[{at}]", entry


def _descriptor(entry: Any, where: str, kind: Literal["manifest", "blob"]) -> Descriptor:
    if not isinstance(entry, dict):
        raise IntegrityError(f"{where} is no descriptor")
    stated = entry.get("digest")
    if not isinstance(stated, str):
        raise IntegrityError(f"{where}.digest is missing")
    try:
        digest = parse_digest(stated)
    except InvalidRequest as error:
        raise IntegrityError(f"{where}.digest: {error.message}") from None
    size = entry.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MOST_BYTES:
        raise IntegrityError(f"{where}.size is no number of bytes")
    media_type = entry.get("mediaType", "")
    if not isinstance(media_type, str):
        raise IntegrityError(f"{where}.mediaType is no text")
    return Descriptor(media_type, digest, size, _platform(entry.get("platform"), where), kind)


def _platform(platform: Any, where: str) -> str | None:
    if platform is None:
        return None
    if not isinstance(platform, dict):
        raise IntegrityError(f"{where}.platform is no object")
    parts = [platform.get(field, "") for field in ("os", "architecture", "variant")]
    if not all(isinstance(part, str) for part in parts):
        raise IntegrityError(f"{where}.platform has a field that is no text")
    if not all(part.isprintable() for part in parts):  # it will be shown on a terminal
        raise IntegrityError(f"{where}.platform has a character that cannot be shown")
    system, architecture, variant = parts
    return f"{system}/{architecture}" + (f"/{variant}" if variant else "")

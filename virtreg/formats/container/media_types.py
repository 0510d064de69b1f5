"""Media types of manifests and lists (OCI image-spec 1.1, "Media Types"; Docker's "Image Manifest
Version 2, Schema 2")."""

from __future__ import annotations

import re

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
JSON = "application/json"
BYTES = "application/octet-stream"

_RESTRICTED = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_RESTRICTED}/{_RESTRICTED}")
_VAGUE = frozenset((JSON, BYTES, "binary/octet-stream", "text/plain"))


def bare(text: str) -> str | None:
    """A media type without its parameters; None when it does not fit RFC 6838, 4.2."""
    kind = text.partition(";")[0].strip(" \t")
    return kind if _MEDIA_TYPE.fullmatch(kind) else None


def says_nothing(text: str) -> bool:
    """Whether a ``Content-Type`` leaves open which kind of manifest the body is."""
    kind = bare(text)
    if kind is None or kind.lower() in _VAGUE:
        return True
    return not kind.lower().startswith("application/")

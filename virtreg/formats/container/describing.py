"""Response headers about a body (OCI distribution-spec 1.1.1, "Pulling manifests", "Pulling
blobs")."""

from __future__ import annotations

from virtreg.formats.container.media_types import BYTES, JSON, OCI_INDEX, bare
from virtreg.formats.container.names import print_digest
from virtreg.formats.container.routes import split
from virtreg.model import Algorithm, Headers, Representation, Route

VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")
"""Clients older than the OCI specification look for it."""
SNIFFING = ("X-Content-Type-Options", "nosniff")
_SAFETY = (
    SNIFFING,
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Content-Disposition", "attachment"),
)


def headers(route: Route, representation: Representation) -> Headers:
    """Media type, digest, version and safety.

    A manifest is called what its upstream called it, where that is a media type; a blob is bytes,
    since its type is stated by the manifest that refers to it. The digest is in the algorithm the
    client asked with, else SHA-256.
    """
    kind = split(route.path)[1]
    if kind == "referrers":
        return (("Content-Type", OCI_INDEX), VERSION, *_SAFETY)
    if kind not in ("manifests", "blobs"):
        return (("Content-Type", JSON), VERSION, *_SAFETY)
    media_type = None
    if kind == "manifests":
        media_type = bare(representation.content_type or "")
    digest = route.digest or _known(representation)
    stated = () if digest is None else (("Docker-Content-Digest", print_digest(digest)),)
    return (("Content-Type", media_type or BYTES), *stated, VERSION, *_SAFETY)


def _known(representation: Representation) -> tuple[Algorithm, str] | None:
    for algorithm in (Algorithm.SHA256, Algorithm.SHA512):
        encoded = representation.digests.get(algorithm)
        if encoded is not None:
            return algorithm, encoded
    return None

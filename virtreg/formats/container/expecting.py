"""What to ask an upstream registry for each route."""

from __future__ import annotations

from virtreg.formats.container.documents import MAX_LIST_BYTES, MAX_MANIFEST_BYTES
from virtreg.formats.container.media_types import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    JSON,
    OCI_INDEX,
    OCI_MANIFEST,
)
from virtreg.formats.container.routes import split
from virtreg.model import Algorithm, Expectation, Route

MAX_BLOB_BYTES = 256 * 1024**3
_PREFIX = "v2/"
_PAGE = "1000"
"""Tags a page; some registries refuse to be asked for more."""
_MANIFESTS = ", ".join((DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX, "*/*"))
"""Whatever the client accepts: what comes is kept by its digest for everybody."""


_DIGESTS = frozenset({Algorithm.SHA256})
"""What images go by. Of the few that go by SHA-512, it is claimed."""


def expect(route: Route) -> Expectation:
    repository, kind, _ = split(route.path)
    scope = f"repository:{repository}:pull"
    if kind == "manifests":
        return Expectation(
            accept=_MANIFESTS,
            max_bytes=MAX_MANIFEST_BYTES,
            prefix=_PREFIX,
            scope=scope,
            metered=True,
            digests=_DIGESTS,
        )
    if kind == "blobs":
        return Expectation(
            max_bytes=MAX_BLOB_BYTES,
            prefix=_PREFIX,
            scope=scope,
            head_alone=True,
            digests=_DIGESTS,
        )
    if kind == "tags":
        return Expectation(
            accept=JSON,
            max_bytes=MAX_LIST_BYTES,
            prefix=_PREFIX,
            query=(("n", _PAGE),),
            scope=scope,
        )
    if kind == "referrers":
        return Expectation(accept=OCI_INDEX, max_bytes=MAX_LIST_BYTES, prefix=_PREFIX, scope=scope)
    return Expectation(accept=JSON, max_bytes=MAX_LIST_BYTES, prefix=_PREFIX)

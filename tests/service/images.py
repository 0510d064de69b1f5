"""Manifests and blobs on fake upstreams, as registries of images serve them."""

from __future__ import annotations

import hashlib
import json

from virtreg.testing.fakes import FakeUpstream

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest(note: str) -> bytes:
    """A manifest that differs with its note."""
    empty = {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": digest_of(b"{}"),
        "size": 2,
    }
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": []}
    return json.dumps({**document, "annotations": {"note": note}}).encode()


def put_manifest(
    upstream: FakeUpstream,
    repository: str,
    content: bytes,
    *tags: str,
    named: bool = True,
    head: bool = True,
) -> str:
    """Publish it by digest and under tags; its digest. ``named`` False tells no digest in headers,
    ``head`` False says 404 to HEAD."""
    digest = digest_of(content)
    headers = {"content-type": MANIFEST}
    if named:
        headers["docker-content-digest"] = digest
    for reference in (digest, *tags):
        path = f"v2/{repository}/manifests/{reference}"
        upstream.put(path, content, etag=f'"{digest}"', headers=headers, head=head)
    return digest


def put_blob(upstream: FakeUpstream, repository: str, content: bytes) -> str:
    """Publish it; the path a registry is asked for."""
    digest = digest_of(content)
    upstream.put(f"v2/{repository}/blobs/{digest}", content)
    return f"{repository}/blobs/{digest}"


def asked(upstream: FakeUpstream) -> list[str]:
    """What the upstream was asked, such as ``HEAD app/manifests/latest``."""
    return [f"{each.method} {each.path.removeprefix('v2/')}" for each in upstream.requests]

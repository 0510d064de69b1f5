"""Content at the upstream that nobody has asked for yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

from tests.e2e.images import OCI_INDEX, Image, Manifest, descriptor
from virtreg.testing.origin import Origin

_fresh = count()


def fresh_name() -> str:
    """Of a repository; the images of :mod:`tests.e2e.images` differ by it in every byte."""
    return f"team/app-{next(_fresh)}"


def publish(origin: Origin, image: Image) -> None:
    """What a registry without lists has of an image."""
    base = f"v2/{image.name}"
    for blob in image.blobs:
        assert isinstance(blob.source, bytes)
        publish_blob(origin, image.name, blob.digest, blob.source)
    for manifest in image.manifests:
        headers = described(manifest)
        origin.put(f"{base}/manifests/{manifest.digest}", manifest.body, headers=headers)
    origin.put(f"{base}/manifests/{image.tag}", image.top.body, headers=described(image.top))


def publish_blob(origin: Origin, name: str, digest: str, body: bytes) -> None:
    headers = {"Docker-Content-Digest": digest}
    origin.put(f"v2/{name}/blobs/{digest}", body, headers=headers)


def publish_tags(origin: Origin, name: str, tags: Sequence[str]) -> None:
    """In the order given, whatever it is."""
    body = json.dumps({"name": name, "tags": list(tags)}).encode()
    origin.put(f"v2/{name}/tags/list", body, headers={"Content-Type": "application/json"})


def publish_referrers(origin: Origin, name: str, subject: str, listed: Sequence[Any]) -> None:
    """Under the endpoint, as one page."""
    headers = {"Content-Type": OCI_INDEX}
    origin.put(f"v2/{name}/referrers/{subject}", index(listed), headers=headers)


def index(listed: Sequence[Any]) -> bytes:
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(listed)}
    return json.dumps(body).encode()


def described(manifest: Manifest) -> dict[str, str]:
    return {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}


def referring(kind: str | None, salt: str, **annotations: str) -> dict[str, Any]:
    """A descriptor as a list of referrers has it."""
    manifest = Manifest("application/vnd.oci.image.manifest.v1+json", salt.encode())
    more: dict[str, Any] = {} if kind is None else {"artifactType": kind}
    return descriptor(manifest, **more, annotations=annotations)

"""Images in an origin, and a registry over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from virtreg.assembly import Assembly, build
from virtreg.config import Config, StorageConfig
from virtreg.events import Observer
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.testing.origin import Origin

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Gallery:
    """Publishes images below ``/v2/`` of an origin."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    def blob(self, name: str, body: bytes, **behaviours: Any) -> dict[str, Any]:
        """The blob's descriptor."""
        self.origin.put(f"v2/{name}/blobs/{digest(body)}", body, **behaviours)
        return {
            "mediaType": "application/octet-stream",
            "digest": digest(body),
            "size": len(body),
        }

    def image(self, name: str, layers: Sequence[bytes], tag: str | None = None) -> dict[str, Any]:
        """The descriptor of a manifest of a config and these layers."""
        config = self.blob(name, json.dumps({"layers": len(layers)}).encode())
        content = {"config": config, "layers": [self.blob(name, layer) for layer in layers]}
        return self._manifest(name, MANIFEST, content, tag)

    def index(
        self, name: str, entries: Mapping[str | None, dict[str, Any]], tag: str | None = None
    ) -> dict[str, Any]:
        """The descriptor of an index of manifests by platform."""
        manifests = [
            entry if platform is None else {**entry, "platform": _platform(platform)}
            for platform, entry in entries.items()
        ]
        return self._manifest(name, INDEX, {"manifests": manifests}, tag)

    def pulled(self, kind: str) -> list[str]:
        """The references of all GETs of ``blobs`` or ``manifests`` so far."""
        return [
            seen.path.rpartition("/")[2]
            for seen in self.origin.requests
            if seen.method == "GET" and f"/{kind}/" in seen.path
        ]

    def _manifest(
        self, name: str, media_type: str, content: Mapping[str, Any], tag: str | None
    ) -> dict[str, Any]:
        body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode()
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest(body)}
        for reference in (digest(body), *([] if tag is None else [tag])):
            self.origin.put(f"v2/{name}/manifests/{reference}", body, headers=headers)
        return {"mediaType": media_type, "digest": digest(body), "size": len(body)}


def config(origin: Origin, folder: Path) -> Config:
    upstream = UpstreamSpec("quay", origin.url, allow_private=("127.0.0.0/8",))
    registry = RegistrySpec(1, "images", "container", (upstream,))
    return Config((registry,), storage=StorageConfig(folder))


@contextmanager
def assembled(origin: Origin, folder: Path, *observers: Observer) -> Iterator[Assembly]:
    assembly = build(config(origin, folder), observers=observers)
    try:
        yield assembly
    finally:
        assembly.close()


def _platform(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))

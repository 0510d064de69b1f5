"""Images at an origin: each part at the path where registries have it, well or misbehaving."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from tests.e2e import images
from tests.e2e.images import Blob, Image, Manifest
from virtreg.testing.origin import Lock, Origin, Tokens

Part = Literal["tag", "manifest", "config", "layer", "wide"]

MIB = 1024 * 1024


@frozen
class Picture:
    """One image with a layer of 5 MB, one with digests of SHA-512 beside it, and one that may
    take over the tag."""

    folder: Path
    image: Image = field(init=False)
    wide: Image = field(factory=lambda: images.single("lab/thing", "wide", algorithm="sha512"))
    later: Image = field(factory=lambda: images.single("lab/thing", layers=2))

    @image.default
    def _written(self) -> Image:
        return images.big("lab/thing", self.folder / "layer", 5 * MIB)

    def path(self, part: Part) -> str:
        """Below a registry's URL."""
        if part == "tag":
            return f"lab/thing/manifests/{self.image.tag}"
        if part == "manifest":
            return f"lab/thing/manifests/{self.image.digest}"
        return f"lab/thing/blobs/{self._blob(part).digest}"

    def content(self, part: Part) -> bytes:
        if part in ("tag", "manifest"):
            return self.image.top.body
        return content(self._blob(part))

    def hang(self, origin: Origin, **behaviours: Any) -> None:
        """Every part of the image, and of the one beside it."""
        hang(origin, self.wide, **behaviours)
        hang(origin, self.image, **behaviours)

    def break_part(self, origin: Origin, part: Part, **behaviours: Any) -> None:
        """Let one part misbehave; ``body`` is sent in place of its own, and ``headers`` beside
        those of a manifest."""
        body = behaviours.pop("body", self.content(part))
        if part in ("tag", "manifest") and "html" not in behaviours:
            behaviours["headers"] = {**told(self.image.top), **behaviours.get("headers", {})}
        origin.put(f"v2/{self.path(part)}", body, **behaviours)

    def _blob(self, part: Part) -> Blob:
        if part == "wide":
            return self.wide.blobs[-1]
        return self.image.blobs[0 if part == "config" else 1]


def hang(origin: Origin, image: Image, **behaviours: Any) -> None:
    """Publish all parts of an image, under its tag and under their digests."""
    for part in image.blobs:
        origin.put(f"v2/{image.name}/blobs/{part.digest}", content(part), **behaviours)
    for manifest in image.manifests:
        path = f"v2/{image.name}/manifests/{manifest.digest}"
        origin.put(path, manifest.body, headers=told(manifest), **behaviours)
    path = f"v2/{image.name}/manifests/{image.tag}"
    origin.put(path, image.top.body, headers=told(image.top), **behaviours)


def lock_for(origin: Origin, name: str, tokens: Tokens, realm: str | None = None) -> Lock:
    """The token that a repository's parts want, from ``/token`` of the origin itself unless
    another realm is given."""
    return Lock(tokens, realm or f"{origin.url}/token", f"repository:{name}:pull")


def content(part: Blob) -> bytes:
    return part.source if isinstance(part.source, bytes) else part.source.read_bytes()


def told(manifest: Manifest) -> dict[str, str]:
    """The headers that registries send with a manifest."""
    return {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}

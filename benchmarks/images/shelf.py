"""The images that are asked for: a folder of blobs and manifests, each under its SHA-256."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from benchmarks.files import MB

TAG = "1.0"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
"""Schema 2, which every server under test serves as it is."""
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

LAYERS = 35
_SIZES = (1_000, 40_000, 600_000, 5 * MB)
"""Of the layers of the big image, in turn: few files make up most of an image."""


@frozen
class Blob:
    digest: str
    """``sha256:<hex>``."""
    size: int


@frozen
class Image:
    repository: str
    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def parts(self) -> tuple[Blob, ...]:
        return (self.config, *self.layers)

    @property
    def tag_path(self) -> str:
        return f"{self.repository}/manifests/{TAG}"

    @property
    def digest_path(self) -> str:
        return f"{self.repository}/manifests/{self.manifest.digest}"

    def blob_path(self, blob: Blob) -> str:
        return f"{self.repository}/blobs/{blob.digest}"


@frozen
class Shelf:
    """Sizes are in bytes."""

    root: Path
    _source: random.Random = field(factory=lambda: random.Random("bench"))

    def image(self, repository: str, sizes: Iterator[int]) -> Image:
        """Publish an image with layers of these sizes."""
        layers = tuple(self.blob(size) for size in sizes)
        config = self._put(json.dumps({"rootfs": {"diff_ids": [one.digest for one in layers]}}))
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": _CONFIG, "size": config.size, "digest": config.digest},
            "layers": [
                {"mediaType": _LAYER, "size": one.size, "digest": one.digest} for one in layers
            ],
        }
        return Image(repository, self._put(json.dumps(manifest)), config, layers)

    def blob(self, size: int) -> Blob:
        """Publish noise of that size; no two calls give the same."""
        hasher, left = hashlib.sha256(), size
        part = self.root / "part"
        with part.open("wb") as file:
            # Noise is slow to make: what comes after the first piece may repeat.
            piece = self._source.randbytes(min(size, MB))
            while left:
                taken = file.write(piece[:left])
                hasher.update(piece[:left])
                left -= taken
        part.rename(self.root / hasher.hexdigest())
        return Blob(f"sha256:{hasher.hexdigest()}", size)

    def _put(self, text: str) -> Blob:
        content = text.encode()
        name = hashlib.sha256(content).hexdigest()
        (self.root / name).write_bytes(content)
        return Blob(f"sha256:{name}", len(content))


def many_layers() -> Iterator[int]:
    """Sizes of an image of :data:`LAYERS` layers, about 46 MB in all."""
    return (_SIZES[number % len(_SIZES)] for number in range(LAYERS))

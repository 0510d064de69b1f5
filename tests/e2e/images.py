"""Images for the tests, made of bytes: the same every time, and small unless size is the point.

The layers are true tar archives wherever a client would unpack them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_TAR = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_TAR = "application/vnd.docker.image.rootfs.diff.tar"

Family = Literal["oci", "docker"]

_CREATED = "2025-01-02T03:04:05Z"
_MIB = 1024 * 1024


@frozen
class Blob:
    """``source`` is the bytes, or a file of them."""

    digest: str
    size: int
    media_type: str
    source: bytes | Path = field(repr=False)


@frozen
class Manifest:
    """A manifest or an index, as its exact bytes."""

    media_type: str
    body: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"


@frozen
class Image:
    """What stands under one tag, with all it refers to. ``name`` is the repository."""

    name: str
    tag: str
    blobs: tuple[Blob, ...]
    manifests: tuple[Manifest, ...]
    """Children before what lists them; the last one is what the tag means."""
    diff_ids: tuple[str, ...] = ()
    """Digests of the unpacked layers of the first manifest."""

    @property
    def top(self) -> Manifest:
        return self.manifests[-1]

    @property
    def digest(self) -> str:
        """Of what the tag means."""
        return self.top.digest

    @property
    def config(self) -> str:
        """Digest of the first manifest's configuration, by which clients call an image."""
        digest: str = json.loads(self.manifests[0].body)["config"]["digest"]
        return digest

    @property
    def digests(self) -> set[str]:
        """Of every manifest and every blob."""
        return {part.digest for part in self.blobs} | {one.digest for one in self.manifests}

    @property
    def first(self) -> set[str]:
        """Digests of the first manifest, its configuration and its layers: what there is for
        amd64."""
        listed = json.loads(self.manifests[0].body)
        parts = {self.manifests[0].digest, self.config}
        return parts | {layer["digest"] for layer in listed["layers"]}

    def by_tag(self, prefix: str) -> str:
        """The reference below ``prefix``, which is a host and maybe a path."""
        return f"{prefix}/{self.name}:{self.tag}"

    def by_digest(self, prefix: str) -> str:
        return f"{prefix}/{self.name}@{self.digest}"


def blob(content: bytes, media_type: str, algorithm: str = "sha256") -> Blob:
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    return Blob(digest, len(content), media_type, content)


def descriptor(part: Blob | Manifest, **more: Any) -> dict[str, Any]:
    """What a manifest or an index says of a part (OCI image specification, descriptor)."""
    size = part.size if isinstance(part, Blob) else len(part.body)
    return {"mediaType": part.media_type, "size": size, "digest": part.digest, **more}


def single(
    name: str,
    tag: str = "1",
    *,
    family: Family = "oci",
    architecture: str = "amd64",
    layers: int = 1,
    algorithm: str = "sha256",
) -> Image:
    """An image for one platform, of tiny layers that differ by name, architecture and number."""
    archives = [
        _tar(f"layer-{number}.txt", f"{name} {architecture} {number} of {layers}\n".encode())
        for number in range(layers)
    ]
    kind = OCI_TAR + "+gzip" if family == "oci" else DOCKER_TAR + ".gzip"
    packed = [
        blob(gzip.compress(archive, 1, mtime=0), kind, algorithm=algorithm) for archive in archives
    ]
    diff_ids = tuple(f"sha256:{hashlib.sha256(archive).hexdigest()}" for archive in archives)
    return _assembled(name, tag, family, architecture, packed, diff_ids, algorithm)


def big(name: str, file: Path, size: int, tag: str = "1") -> Image:
    """An image with one layer of ``size`` random bytes, which is written to ``file``."""
    info = tarfile.TarInfo("random.bin")
    info.size = size - size % 512
    digest = hashlib.sha256()
    with file.open("wb") as out:
        for piece in _archive(info, random.Random(name)):
            digest.update(piece)
            out.write(piece)
    layer = Blob(f"sha256:{digest.hexdigest()}", file.stat().st_size, OCI_TAR, file)
    return _assembled(name, tag, "oci", "amd64", [layer], (layer.digest,), "sha256")


def multi(name: str, tag: str = "1", *, family: Family = "oci") -> Image:
    """An OCI index, or a docker manifest list, of amd64 and arm64."""
    platforms = [
        single(name, family=family, architecture=architecture, layers=2)
        for architecture in ("amd64", "arm64")
    ]
    entries = [
        descriptor(image.top, platform={"architecture": architecture, "os": "linux"})
        for image, architecture in zip(platforms, ("amd64", "arm64"), strict=True)
    ]
    return _listed(name, tag, platforms, entries, OCI_INDEX if family == "oci" else DOCKER_LIST)


def attested(name: str, tag: str = "1") -> Image:
    """An index as BuildKit makes it: beside the image an attestation for ``unknown/unknown``."""
    image = single(name)
    statement = blob(
        b'{"_type":"https://in-toto.io/Statement/v0.1"}', "application/vnd.in-toto+json"
    )
    config = blob(
        b'{"architecture":"unknown","os":"unknown","config":{},"rootfs":'
        b'{"type":"layers","diff_ids":[]}}',
        OCI_CONFIG,
    )
    attestation = Image(name, tag, (config, statement), (_manifest(config, [statement]),))
    entries = [
        descriptor(image.top, platform={"architecture": "amd64", "os": "linux"}),
        descriptor(
            attestation.top,
            annotations={
                "vnd.docker.reference.digest": image.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            },
            platform={"architecture": "unknown", "os": "unknown"},
        ),
    ]
    return _listed(name, tag, [image, attestation], entries, OCI_INDEX)


def nested(name: str, tag: str = "1") -> Image:
    """An index whose only entry is an index."""
    inner = multi(name)
    return _listed(name, tag, [inner], [descriptor(inner.top)], OCI_INDEX)


def artifact(name: str, content: bytes, tag: str = "1", title: str = "report.txt") -> Image:
    """An OCI artifact: ``artifactType``, the empty configuration, one titled file."""
    config = blob(b"{}", OCI_EMPTY)
    file = blob(content, "text/plain")
    titled = descriptor(file, annotations={"org.opencontainers.image.title": title})
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.report",
        "config": descriptor(config),
        "layers": [titled],
    }
    return Image(name, tag, (config, file), (Manifest(OCI_MANIFEST, _json(body)),))


def signed(subject: Image) -> tuple[Image, Image]:
    """A referrer of the subject, and the index of its referrers under the tag where clients look
    when a registry has no referrers API (OCI distribution specification, referrers tag schema)."""
    config = blob(b"{}", OCI_EMPTY)
    file = blob(b"signature of " + subject.digest.encode(), "application/vnd.example.signature")
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.signature",
        "config": descriptor(config),
        "layers": [descriptor(file)],
        "subject": descriptor(subject.top),
    }
    referrer = Image(
        subject.name, "signature", (config, file), (Manifest(OCI_MANIFEST, _json(body)),)
    )
    entry = descriptor(referrer.top, artifactType="application/vnd.example.signature")
    tag = subject.digest.replace(":", "-")
    return referrer, _listed(subject.name, tag, [referrer], [entry], OCI_INDEX)


def _assembled(
    name: str,
    tag: str,
    family: Family,
    architecture: str,
    layers: Sequence[Blob],
    diff_ids: tuple[str, ...],
    algorithm: str,
) -> Image:
    settings = {
        "created": _CREATED,
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/nothing"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": _CREATED, "created_by": "tests"} for _ in diff_ids],
    }
    kind = OCI_CONFIG if family == "oci" else DOCKER_CONFIG
    config = blob(_json(settings), kind, algorithm=algorithm)
    manifest = _manifest(config, layers, family)
    return Image(name, tag, (config, *layers), (manifest,), diff_ids)


def _manifest(config: Blob, layers: Sequence[Blob], family: Family = "oci") -> Manifest:
    kind = OCI_MANIFEST if family == "oci" else DOCKER_MANIFEST
    body = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": descriptor(config),
        "layers": [descriptor(layer) for layer in layers],
    }
    return Manifest(kind, _json(body))


def _listed(
    name: str, tag: str, members: Iterable[Image], entries: Sequence[dict[str, Any]], kind: str
) -> Image:
    members = list(members)
    body = {"schemaVersion": 2, "mediaType": kind, "manifests": entries}
    manifests = (
        *(one for member in members for one in member.manifests),
        Manifest(kind, _json(body)),
    )
    blobs = {part.digest: part for member in members for part in member.blobs}
    return Image(name, tag, tuple(blobs.values()), manifests, members[0].diff_ids)


def _archive(info: tarfile.TarInfo, source: random.Random) -> Iterator[bytes]:
    """A tar archive of one file in pieces; its size is a multiple of tar's 512-byte records."""
    yield info.tobuf()
    for start in range(0, info.size, _MIB):
        yield source.randbytes(min(_MIB, info.size - start))
    yield bytes(1024)


def _json(value: Any) -> bytes:
    # Indented, as docker writes it: whoever parses and writes it again changes the digest.
    return json.dumps(value, indent=3).encode()


def _tar(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()

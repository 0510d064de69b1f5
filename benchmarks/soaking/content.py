"""What the upstreams of a soak have: any number of files, each made from its path, so that clients
know what is right without being told."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache

from attrs import frozen

MAVEN = ("first", "second")
"""Upstreams of the Maven registry; each has its own files, and its own lists of versions."""

ARTIFACTS = 200
"""That are pulled again and again."""
IMAGES = 30

_FILE = re.compile(r"com/soak/(?P<upstream>first|second)/(?P<name>[a-z]+[0-9-]+)/1/[^/]+\.jar")
_KB = 1024


def hot_file(number: int) -> str:
    return _file(MAVEN[number % len(MAVEN)], f"hot{number}")


def cold_file(client: int, number: int) -> str:
    """One that nobody else asks for."""
    return _file(MAVEN[number % len(MAVEN)], f"cold{client}-{number}")


def absent_file(client: int, number: int) -> str:
    """One that no upstream has."""
    return f"com/soak/nowhere/a{client}-{number}/1/a{client}-{number}-1.jar"


def list_of_versions(number: int) -> str:
    return f"com/soak/lists/hot{number}/maven-metadata.xml"


def versions(upstream: str, number: int) -> list[str]:
    return [f"1.{number}.{patch}-{upstream}" for patch in range(5)]


@lru_cache(maxsize=400)
def body(path: str) -> bytes:
    """Of a file: some kilobytes, a few hundred, or now and then some megabytes."""
    seed = hashlib.sha256(path.encode()).digest()
    if seed[0] < 8:
        size = 3000 * _KB + seed[1] * _KB
    elif seed[0] < 64:
        size = 280 * _KB + seed[1] * _KB
    else:
        size = 4 * _KB + seed[1] * 100
    return b"PK\x03\x04" + hashlib.shake_256(seed).digest(size)


@frozen
class Picture:
    """An image of one layer."""

    name: str
    config: bytes
    layer: bytes
    manifest: bytes

    @property
    def blobs(self) -> dict[str, bytes]:
        return {digest_of(part): part for part in (self.config, self.layer)}


@lru_cache(maxsize=IMAGES)
def picture(number: int) -> Picture:
    name = f"soak/image{number}"
    seed = hashlib.sha256(name.encode()).digest()
    config = json.dumps({"os": "linux", "architecture": "amd64", "made": seed.hex()}).encode()
    layer = hashlib.shake_256(seed).digest(200 * _KB + seed[0] * 8 * _KB)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [_descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
    }
    return Picture(name, config, layer, json.dumps(manifest).encode())


MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def answer(upstream: str, path: str) -> bytes | None:
    """What an upstream has at a path of a Maven repository; None: nothing."""
    if path.endswith(".sha1"):
        found = answer(upstream, path.removesuffix(".sha1"))
        return None if found is None else hashlib.sha1(found).hexdigest().encode()
    listed = re.fullmatch(r"com/soak/lists/hot([0-9]+)/maven-metadata\.xml", path)
    if listed is not None:
        return _metadata(int(listed[1]), versions(upstream, int(listed[1])))
    file = _FILE.fullmatch(path)
    return body(path) if file is not None and file["upstream"] == upstream else None


def _file(upstream: str, name: str) -> str:
    return f"com/soak/{upstream}/{name}/1/{name}-1.jar"


def _descriptor(content: bytes, media_type: str) -> dict[str, str | int]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def _metadata(number: int, listed: list[str]) -> bytes:
    items = "".join(f"<version>{version}</version>" for version in listed)
    return (
        f"<metadata><groupId>com.soak.lists</groupId><artifactId>hot{number}</artifactId>"
        f"<versioning><versions>{items}</versions></versioning></metadata>"
    ).encode()

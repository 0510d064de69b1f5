"""What is true of every path at every moment, by its name and the clock alone: servers and clients
in processes of their own agree on it without a word."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Sequence
from functools import lru_cache

from attrs import frozen
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from tests.e2e import images, metadata

HOT = 40
BIG = 12
SNAPSHOTS = 8
LISTS = 10
IMAGES = 6
PERIOD = 15.0
"""Seconds for which a moving thing stays what it is."""

MEMBERS = ("first", "second")
_BLOCK = 16


@frozen
class Body:
    """Bytes that need not be in memory. ``name`` decides all of them."""

    name: str
    size: int
    magic: bytes = b""
    """How it begins, in place of noise."""

    def part(self, start: int, stop: int) -> bytes:
        """``[start:stop]`` of it."""
        start, stop = min(start, self.size), min(stop, self.size)
        key = hashlib.sha256(self.name.encode()).digest()
        first = start // _BLOCK
        stream = Cipher(AES(key), CTR(first.to_bytes(_BLOCK, "big"))).encryptor()
        noise = stream.update(bytes(max(0, stop - first * _BLOCK)))[start - first * _BLOCK :]
        return self.magic[start:stop] + noise[max(0, len(self.magic) - start) :]

    def whole(self) -> bytes:
        return self.part(0, self.size)

    def digest(self, algorithm: str) -> str:
        """In hexadecimal."""
        return _digest(self, algorithm)


@lru_cache(10_000)
def _digest(body: Body, algorithm: str) -> str:
    state = hashlib.new(algorithm)
    for start in range(0, body.size, 1 << 20):
        state.update(body.part(start, start + (1 << 20)))
    return state.hexdigest()


@frozen
class World:
    """``epoch`` is when it began, by the clock of :func:`time.time`."""

    epoch: float

    def edition(self, at: float | None = None) -> int:
        """Of whatever moves."""
        return max(0, int(((time.time() if at is None else at) - self.epoch) / PERIOD))

    def file(self, path: str, edition: int = 0) -> Body:
        """Of a Maven path that is there."""
        chance = random.Random(path)
        size = chance.randrange(1_000, 60_000)
        if path.startswith("com/soak/b"):
            size = chance.randrange(20_000_000, 50_000_000)
        name = f"{path} {edition}" if "SNAPSHOT" in path else path
        return Body(name, size, b"PK\x03\x04")

    def versions(self, path: str, member: str, edition: int) -> bytes:
        """What one upstream says in the ``maven-metadata.xml`` at a path."""
        group = path.removesuffix("/app/maven-metadata.xml").replace("/", ".")
        listed = [f"1.{number}-{member}" for number in range(edition + 1)]
        return metadata.artifact(group, "app", listed)

    def layers(self, repository: str, edition: int) -> Sequence[Body]:
        """Of an image: a configuration, a layer that stays, and one that moves."""
        stays = random.Random(repository).randrange(20_000_000, 30_000_000)
        return (
            Body(f"{repository} config {edition}", 0),
            Body(f"{repository} base", stays),
            Body(f"{repository} layer {edition}", 300_000),
        )

    def config(self, repository: str, edition: int) -> bytes:
        """What an image's configuration says."""
        told = {"os": "linux", "architecture": "amd64", "edition": f"{repository} {edition}"}
        return json.dumps(told).encode()

    def manifest(self, repository: str, edition: int) -> bytes:
        """What ``latest`` means."""
        return _manifest(self, repository, edition)


@lru_cache(10_000)
def _manifest(world: World, repository: str, edition: int) -> bytes:
    config = world.config(repository, edition)
    body = {
        "schemaVersion": 2,
        "mediaType": images.OCI_MANIFEST,
        "config": _descriptor(images.OCI_CONFIG, len(config), hashlib.sha256(config).hexdigest()),
        "layers": [
            _descriptor(images.OCI_TAR, each.size, each.digest("sha256"))
            for each in world.layers(repository, edition)[1:]
        ],
    }
    return json.dumps(body).encode()


def _descriptor(media_type: str, size: int, digest: str) -> dict[str, str | int]:
    return {"mediaType": media_type, "size": size, "digest": f"sha256:{digest}"}


def is_there(path: str) -> bool:
    return not path.startswith("com/soak/none")


def owner(path: str) -> str:
    """The upstream that has a Maven path that both are asked for."""
    return MEMBERS[hashlib.sha256(path.encode()).digest()[0] % 2]

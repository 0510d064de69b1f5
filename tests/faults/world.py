"""An upstream that goes on: versions are released, lists grow, tags move, files are rewritten."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from functools import partial

from attrs import define, field, frozen

from tests.e2e import images, metadata
from tests.e2e.hanging import hang
from tests.faults.stage import image_of
from tests.faults.truth import Truth
from virtreg.testing.origin import Origin

GROUPS = 6
IMAGES = 3
KEPT = 3
"""Files whose upstream is believed for a day."""

LARGE = 600_000


@frozen
class Thing:
    """What is asked for: ``path`` below ``registry``, ``key`` what the truth calls it."""

    registry: str
    path: str
    key: str
    listing: bool = False
    headers: Mapping[str, str] = field(factory=dict, eq=False)

    def essence(self, body: bytes) -> str:
        if self.listing:
            return " ".join(sorted(re.findall(r"<version>([^<]+)</version>", body.decode())))
        return hashlib.sha256(body).hexdigest()


@define
class World:
    """Changed by one thread; ``things`` may be read by any."""

    origin: Origin
    truth: Truth
    chance: random.Random
    things: list[Thing] = field(factory=list)
    bodies: dict[str, bytes] = field(factory=dict)
    """By SHA-256, for parts of them."""
    _versions: dict[int, list[str]] = field(factory=dict)
    _made: int = 0

    def begin(self) -> None:
        for group in range(GROUPS):
            self.release(group)
            self.snapshot(group)
        for number in range(IMAGES):
            self.move_tag(number)
        for number in range(KEPT):
            self.rewrite(number)

    def go_on(self) -> None:
        """One change."""
        match self.chance.randrange(6):
            case 0 | 1:
                self.release(self.chance.randrange(GROUPS))
            case 2:
                self.snapshot(self.chance.randrange(GROUPS))
            case 3:
                self.move_tag(self.chance.randrange(IMAGES))
            case 4:
                self.rewrite(self.chance.randrange(KEPT))
            case _:
                self.withdraw()

    def release(self, group: int) -> None:
        versions = self._versions.setdefault(group, [])
        version = f"1.{len(versions)}"
        path = f"com/t/g{group}/app/{version}/app-{version}.jar"
        self._put(path, self._noise(LARGE if self.chance.random() < 0.2 else 3000))
        versions.append(version)
        listed = f"com/t/g{group}/app/maven-metadata.xml"
        document = metadata.artifact(f"com.t.g{group}", "app", versions)
        thing = Thing("shelf", listed, listed, listing=True)
        essence = thing.essence(document)
        self.truth.change(listed, essence, lambda: self.origin.put(listed, document))
        self._tell(thing)
        for registry in ("shelf", "bad"):
            self._tell(Thing(registry, path, path))
            self._tell(Thing(registry, f"{path}.sha1", f"{path}.sha1"))

    def snapshot(self, group: int) -> None:
        path = f"com/t/g{group}/app/1-SNAPSHOT/app-1-SNAPSHOT.jar"
        self._put(path, self._noise(3000))
        self._tell(Thing("shelf", path, path))

    def rewrite(self, number: int) -> None:
        path = f"com/kept/k{number}/1/k{number}-1.jar"
        self._put(path, self._noise(3000))
        self._tell(Thing("kept", path, path))

    def move_tag(self, number: int) -> None:
        image = image_of(f"t/i{number}", "latest", self._noise(1000), self._noise(LARGE))
        for part in image.blobs:
            assert isinstance(part.source, bytes)
            self._know(part.source)
            key = f"{image.name}/blobs/{part.digest}"
            self.truth.change(key, part.digest.removeprefix("sha256:"), lambda: None)
        self._know(image.top.body)
        essence = hashlib.sha256(image.top.body).hexdigest()
        by_digest = f"{image.name}/manifests/{image.digest}"
        by_tag = f"{image.name}/manifests/{image.tag}"
        self.truth.change(by_digest, essence, lambda: None)
        self.truth.change(by_tag, essence, lambda: hang(self.origin, image))
        accept = {"Accept": images.OCI_MANIFEST}
        for path in (by_tag, by_digest):
            self._tell(Thing("pictures", path, path, headers=accept))
        for part in image.blobs:
            path = f"{image.name}/blobs/{part.digest}"
            self._tell(Thing("pictures", path, path))

    def withdraw(self) -> None:
        """What was released, and is cached somewhere or not."""
        some = [each for each in self.things if each.registry == "shelf" and each.path[-1] == "r"]
        gone = self.chance.choice([each for each in some if "SNAPSHOT" not in each.path])
        for path in (gone.path, f"{gone.path}.sha1"):
            if self.truth.now(path) is not None:
                self.truth.change(path, None, partial(self.origin.remove, path))

    def _put(self, path: str, body: bytes) -> None:
        self._know(body)
        checksum = hashlib.sha1(body).hexdigest().encode()
        essence = hashlib.sha256(body).hexdigest()
        of_checksum = hashlib.sha256(checksum).hexdigest()

        def put() -> None:
            self.origin.put(path, body)
            self.origin.put(f"{path}.sha1", checksum)

        self.truth.change(
            path, essence, lambda: self.truth.change(f"{path}.sha1", of_checksum, put)
        )

    def _tell(self, thing: Thing) -> None:
        if thing not in self.things:
            self.things.append(thing)

    def _know(self, body: bytes) -> None:
        self.bodies[hashlib.sha256(body).hexdigest()] = body

    def _noise(self, size: int) -> bytes:
        self._made += 1
        return b"PK\x03\x04" + random.Random(self._made).randbytes(size)

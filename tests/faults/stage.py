"""What virtreg is asked for while something breaks, and what it may answer."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Sequence

from attrs import field, frozen

from tests.e2e import images, metadata
from tests.e2e.hanging import told
from tests.e2e.images import Image
from virtreg.testing.origin import Origin

SMALL = 20_000
LARGE = 600_000
"""Larger than what is read whole before its first byte is answered."""

MEMBERS = ("a", "b", "c")


@frozen
class Goods:
    """One thing that is pulled."""

    asked: str
    """Its path at virtreg, below the registry."""
    put: Callable[[Origin], None] = field(repr=False)
    """Publish it, as it is at first."""
    meant: bytes
    """How the head of the request begins that is broken."""
    size: int
    """Of the body of that request's answer; 0: it has none."""
    truth: frozenset[str]
    """What may be served, as ``essence`` has it."""
    renew: Callable[[Origin], None] | None = field(default=None, repr=False)
    """Publish its next edition."""
    essence: Callable[[bytes], str] = field(
        default=lambda body: hashlib.sha256(body).hexdigest(), repr=False
    )
    headers: tuple[tuple[str, str], ...] = ()


@frozen
class Stage:
    """A moment of virtreg's work."""

    name: str
    format: str
    goods: Callable[[str], Goods] = field(repr=False)
    """Made for a slot: nobody else has its bytes."""
    old: bool = False
    """Whether it is held, and past its validity, when the fault strikes: it is then served."""
    fresh: bool = False
    """Whether it is held and good: no upstream is asked for it."""
    merged: bool = False
    """Whether three upstreams are asked, one of which has the fault."""

    @property
    def held(self) -> bool:
        """Before the fault strikes."""
        return self.old or self.fresh

    def __str__(self) -> str:
        return f"{self.format} {self.name}"


def _jar(slot: str, size: int, edition: int = 1) -> bytes:
    return b"PK\x03\x04" + random.Random(f"{slot} {size} {edition}").randbytes(size - 4)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _publish(origin: Origin, path: str, body: bytes, *, ranges: bool = True) -> None:
    origin.put(path, body, ranges=ranges)
    origin.put(f"{path}.sha1", hashlib.sha1(body).hexdigest().encode())


def _file(
    size: int, *, sidecar: bool = False, renewed: bool = False, ranges: bool = True
) -> Callable[[str], Goods]:
    def goods(slot: str) -> Goods:
        path = f"com/{slot}/app/1.0/app-1.0.jar"
        first, next_one = _jar(slot, size), _jar(slot, size, 2)
        return Goods(
            path,
            lambda origin: _publish(origin, path, first, ranges=ranges),
            f"GET /{path}{'.sha1' if sidecar else ''} ".encode(),
            40 if sidecar else size,
            frozenset([_digest(first)] + [_digest(next_one)] * renewed),
            (lambda origin: _publish(origin, path, next_one)) if renewed else None,
        )

    return goods


def _unchanged(make: Callable[[str], Goods]) -> Callable[[str], Goods]:
    """Whose upstream has nothing new, and says so without a body."""

    def goods(slot: str) -> Goods:
        made = make(slot)
        return Goods(
            made.asked, made.put, made.meant, 0, made.truth, None, made.essence, made.headers
        )

    return goods


def _versions(body: bytes) -> str:
    return " ".join(sorted(re.findall(r"<version>([^<]+)</version>", body.decode())))


def _metadata(*, renewed: bool = False) -> Callable[[str], Goods]:
    """What each member lists is its own."""

    def goods(slot: str) -> Goods:
        path = f"com/{slot}/app/maven-metadata.xml"
        group = f"com.{slot}"

        def lists(edition: int) -> dict[str, list[str]]:
            return {each: [f"{number}.0-{each}" for number in range(edition)] for each in MEMBERS}

        def put(origin: Origin, edition: int) -> None:
            for each, versions in lists(edition).items():
                _publish(origin, f"{each}/{path}", metadata.artifact(group, "app", versions))

        def merged(edition: int) -> str:
            return " ".join(sorted(version for some in lists(edition).values() for version in some))

        return Goods(
            path,
            lambda origin: put(origin, 1),
            f"/{path} HTTP/".encode(),
            len(metadata.artifact(group, "app", lists(1 + renewed)["a"])),
            # Members are asked at the same time: a list may have some of their next editions.
            frozenset(_mixtures(lists(1), lists(2))) if renewed else frozenset([merged(1)]),
            (lambda origin: put(origin, 2)) if renewed else None,
            _versions,
        )

    return goods


def _mixtures(*editions: dict[str, list[str]]) -> Sequence[str]:
    mixtures: list[list[str]] = [[]]
    for each in MEMBERS:
        mixtures = [mixed + edition[each] for mixed in mixtures for edition in editions]
    return [" ".join(sorted(mixed)) for mixed in mixtures]


def _image(slot: str, edition: int = 1) -> Image:
    noise = random.Random(f"{slot} {edition}")
    return image_of(f"{slot}/thing", "1", noise.randbytes(1000), noise.randbytes(LARGE))


def image_of(name: str, tag: str, noise: bytes, content: bytes) -> Image:
    """One of a single layer with that content; the noise is in its configuration."""
    config = images.blob(
        json.dumps({"os": "linux", "architecture": "amd64", "noise": noise.hex()}).encode(),
        images.OCI_CONFIG,
    )
    layer = images.blob(content, images.OCI_TAR)
    body = {
        "schemaVersion": 2,
        "mediaType": images.OCI_MANIFEST,
        "config": images.descriptor(config),
        "layers": [images.descriptor(layer)],
    }
    manifest = images.Manifest(images.OCI_MANIFEST, json.dumps(body).encode())
    return Image(name, tag, (config, layer), (manifest,))


def _hang(origin: Origin, image: Image) -> None:
    for part in image.blobs:
        assert isinstance(part.source, bytes)
        origin.put(f"v2/{image.name}/blobs/{part.digest}", part.source)
    for reference in (image.tag, image.digest):
        path = f"v2/{image.name}/manifests/{reference}"
        origin.put(path, image.top.body, headers=told(image.top))


def _manifest(*, by_tag: bool, renewed: bool = False) -> Callable[[str], Goods]:
    def goods(slot: str) -> Goods:
        first, next_one = _image(slot), _image(slot, 2)
        # A tag's answer to HEAD has no body; the manifest is asked for by its digest then.
        asked = first.tag if by_tag else first.digest
        meant = next_one.digest if renewed else asked
        return Goods(
            f"{first.name}/manifests/{asked}",
            lambda origin: _hang(origin, first),
            f"/v2/{first.name}/manifests/{meant} ".encode(),
            0 if by_tag and not renewed else len(first.top.body),
            frozenset([_digest(first.top.body)] + [_digest(next_one.top.body)] * renewed),
            (lambda origin: _hang(origin, next_one)) if renewed else None,
            headers=(("Accept", images.OCI_MANIFEST),),
        )

    return goods


def _part(number: int) -> Callable[[str], Goods]:
    def goods(slot: str) -> Goods:
        image = _image(slot)
        part = image.blobs[number]
        path = f"{image.name}/blobs/{part.digest}"
        return Goods(
            path,
            lambda origin: _hang(origin, image),
            f"GET /v2/{path} ".encode(),
            part.size,
            frozenset([part.digest.removeprefix("sha256:")]),
        )

    return goods


def _tags(body: bytes) -> str:
    return " ".join(sorted(json.loads(body)["tags"]))


def _list_of_tags(slot: str) -> Goods:
    name = f"{slot}/thing"

    def document(member: str) -> bytes:
        return json.dumps({"name": name, "tags": [f"1-{member}", "both"]}).encode()

    def put(origin: Origin) -> None:
        for each in MEMBERS:
            origin.put(f"{each}/v2/{name}/tags/list", document(each))

    return Goods(
        f"{name}/tags/list",
        put,
        f"/v2/{name}/tags/list".encode(),
        len(document("a")),
        frozenset([" ".join(sorted([*(f"1-{each}" for each in MEMBERS), "both"]))]),
        essence=_tags,
    )


STAGES = (
    Stage("small", "maven", _file(SMALL)),
    Stage("large", "maven", _file(LARGE)),
    Stage("large-without-ranges", "maven", _file(LARGE, ranges=False)),
    Stage("checksum", "maven", _file(SMALL, sidecar=True)),
    Stage("large-checksum", "maven", _file(LARGE, sidecar=True)),
    Stage("revalidation", "maven", _unchanged(_file(SMALL)), old=True),
    Stage("renewal", "maven", _file(SMALL, renewed=True), old=True),
    Stage("merge", "maven", _metadata(), merged=True),
    Stage("merge-again", "maven", _metadata(renewed=True), old=True, merged=True),
    Stage("tag", "container", _manifest(by_tag=True)),
    Stage("manifest", "container", _manifest(by_tag=False)),
    Stage("config", "container", _part(0)),
    Stage("layer", "container", _part(1)),
    Stage("tag-again", "container", _unchanged(_manifest(by_tag=True)), old=True),
    Stage("tag-moved", "container", _manifest(by_tag=True, renewed=True), old=True),
    Stage("tags", "container", _list_of_tags, merged=True),
)

HITS = (
    Stage("hit", "maven", _file(SMALL), fresh=True),
    Stage("large-hit", "maven", _file(LARGE), fresh=True),
    Stage("manifest-hit", "container", _manifest(by_tag=True), fresh=True),
    Stage("layer-hit", "container", _part(1), fresh=True),
)
"""Served from what is kept."""

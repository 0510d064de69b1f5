"""Registries of images in memory, and the application over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen

from tests.wsgi.answers import Answer
from tests.wsgi.doors import NOTHING, Door, Named
from tests.wsgi.sites import OpenDoor
from virtreg import RegistrySpec, UpstreamSpec
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.store.memory import MemoryStore
from virtreg.core.layout import blob_key
from virtreg.errors import NotFound
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Algorithm, Digests, Representation, Route
from virtreg.protocols import Authenticator, Format, Resolution, VirtualRegistry
from virtreg.service.bodies import BytesBody
from virtreg.service.resolution import Resolved
from virtreg.testing.fakes import FakeClock
from virtreg.wsgi.app import Application
from virtreg.wsgi.ledger import Ledger
from virtreg.wsgi.probes import Probes
from virtreg.wsgi.ready import ReadyAnswers

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": []}).encode()
LAYER = bytes(range(256)) * 16
LARGE_LAYER = bytes(reversed(range(256))) * 1024
TAGS = [f"v{number}" for number in range(7)]
REFERRERS = [
    {"mediaType": MANIFEST_TYPE, "digest": f"sha256:{letter * 64}", "size": 2, "artifactType": kind}
    for letter, kind in (("a", "application/x.sig+json"), ("b", "application/x.sbom"))
]


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def image(name: str, salt: bytes = b"") -> dict[str, bytes]:
    """The paths of one repository below a registry's URL; ``salt``, a number of spaces, makes
    bytes of its own."""
    manifest, layer, large = MANIFEST + salt, LAYER + salt, LARGE_LAYER + salt
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": REFERRERS}
    return {
        f"{name}/manifests/latest": manifest,
        f"{name}/manifests/{digest(manifest)}": manifest,
        f"{name}/blobs/{digest(layer)}": layer,
        f"{name}/blobs/{digest(large)}": large,
        f"{name}/tags/list": json.dumps({"name": name, "tags": TAGS}).encode(),
        f"{name}/referrers/{digest(manifest)}": json.dumps(index).encode(),
    }


@define
class Shelf:
    """A registry that has some paths, always as they are."""

    spec: RegistrySpec
    files: dict[str, bytes]
    store: MemoryStore
    format: Format = field(factory=ContainerFormat)
    expires_at: float = 0.0
    origin: str = "hit"
    warning: str = ""
    resolved: list[str] = field(factory=list)
    """Paths, in the order in which they were resolved."""

    def resolve(self, route: Route) -> Resolution:
        self.resolved.append(route.path)
        return self._resolved(route, None)

    def purge(self, path: str) -> int:
        return int(self.files.pop(path, None) is not None)

    def close(self) -> None:
        """Nothing is held."""

    def _resolved(self, route: Route, told: bytes | None) -> Resolved:
        body = self.files.get(route.path)
        if body is None:
            raise NotFound(f"{route.path} is not here", path=route.path, expires_at=self.expires_at)
        sha256 = hashlib.sha256(body).hexdigest()
        self.store.put(blob_key(sha256), body)
        digests: Digests = {Algorithm.SHA256: sha256}
        media_type = MANIFEST_TYPE if "/manifests/" in route.path else "application/x.any"
        facts = Representation(len(body), digests, media_type, "Thu, 01 Jan 1970 00:00:00 GMT")
        content = BytesBody(body if told is None else told)
        return Resolved(
            route, "", facts, content, self.origin, self.expires_at, warning=self.warning
        )


@define
class Describing(Shelf):
    """A registry with the power Describes, whose descriptions have no body."""

    described: list[str] = field(factory=list)

    def describe(self, route: Route) -> Resolution:
        self.described.append(route.path)
        return self._resolved(route, b"")


def spec(id: int, name: str, *hosts: str, **settings: Any) -> RegistrySpec:  # noqa: A002
    """A registry over the registries at these hosts."""
    upstreams = tuple(UpstreamSpec(f"{name}-{host}", f"https://{host}") for host in hosts)
    return RegistrySpec(id, name, "container", upstreams, **settings)


@frozen
class Gallery:
    """An application over registries of images, reached through one door."""

    shelves: Mapping[str, Shelf]
    clock: FakeClock
    ready: ReadyAnswers
    ledger: Ledger
    door: Door
    prefix: str

    def get(self, target: str, headers: Named = NOTHING) -> Answer:
        return self.door.ask("GET", target, headers)

    def head(self, target: str, headers: Named = NOTHING) -> Answer:
        return self.door.ask("HEAD", target, headers)

    def both(self, target: str, headers: Named = NOTHING) -> Answer:
        """The answer to GET, after HEAD said the same (RFC 9110, 9.3.2)."""
        without, full = self.head(target, headers), self.get(target, headers)
        assert (without.status, without.ours, without.body) == (full.status, full.ours, b"")
        assert full["Content-Length"] == str(len(full.body))
        assert full.body
        return full


@contextmanager
def gallery(
    door: OpenDoor,
    prefix: str,
    specs: Sequence[RegistrySpec],
    *,
    kind: type[Shelf] = Shelf,
    others: Sequence[VirtualRegistry] = (),
    authenticator: Authenticator | None = None,
    **settings: Any,
) -> Iterator[Gallery]:
    """Each registry has the image ``of-<its name>/app`` and ``_catalog``. ``settings`` are further
    arguments of the application."""
    clock = FakeClock()
    store = MemoryStore(clock)
    shelves = {
        one.name: kind(one, {**image(f"of-{one.name}/app"), "_catalog": catalog(one.name)}, store)
        for one in specs
    }
    ready, ledger = ReadyAnswers(1 << 20), Ledger(None)
    app = Application(
        [*shelves.values(), *others],
        store,
        ready,
        ledger,
        Probes({}),
        authenticator or Anonymous(),
        "Test",
        clock,
        **settings,
    )
    with door(app, prefix) as entrance:
        yield Gallery(shelves, clock, ready, ledger, entrance, prefix)


def catalog(name: str) -> bytes:
    return json.dumps({"repositories": [f"of-{name}/{last}" for last in "abc"]}).encode()


def code(answer: Answer) -> str:
    """The code of an error in the words of the distribution specification."""
    assert answer["Content-Type"] == "application/json"
    (told,) = json.loads(answer.body)["errors"]
    assert told["message"]
    found: str = told["code"]
    return found

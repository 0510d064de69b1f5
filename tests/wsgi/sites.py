"""A whole application over real upstream servers, reached through one door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import Condition
from typing import Any
from wsgiref.types import WSGIApplication

from attrs import define, field, frozen

from tests.wsgi.answers import Answer
from tests.wsgi.doors import NOTHING, Door, Named
from virtreg import Assembly, Config, RegistrySpec, ServerConfig, StorageConfig, UpstreamSpec, build
from virtreg.core.layout import blob_key
from virtreg.events import Event, Filled
from virtreg.model import Entry
from virtreg.protocols import Authenticator
from virtreg.testing.fakes import FakeClock
from virtreg.testing.origin import Origin

PROJECT = "org/example/thing"
POM = f"{PROJECT}/1.0/thing-1.0.pom"
JAR = f"{PROJECT}/1.0/thing-1.0.jar"
MIDDLE = f"{PROJECT}/1.0/thing-1.0-sources.jar"
METADATA = f"{PROJECT}/maven-metadata.xml"

SMALL_BODY = b"<project>small</project>"
MIDDLE_BODY = b"PK" + bytes(range(256)) * 400
"""Too large to be kept in memory, small enough to be read before it is answered."""
LARGE_BODY = b"PK" + bytes(reversed(range(256))) * 2000
"""Answered while it is still on its way."""


def metadata(*versions: str) -> bytes:
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return (
        "<metadata><groupId>org.example</groupId><artifactId>thing</artifactId>"
        f"<versioning><latest>{versions[-1]}</latest><release>{versions[-1]}</release>"
        f"<versions>{listed}</versions><lastUpdated>20240101000000</lastUpdated>"
        "</versioning></metadata>"
    ).encode()


@define
class Witness:
    """An observer one can wait for."""

    events: list[Event] = field(factory=list)
    _changed: Condition = field(factory=Condition)

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def await_filled(self, path: str, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._filled(path) >= times, 30), path

    def _filled(self, path: str) -> int:
        return sum(isinstance(event, Filled) and event.path == path for event in self.events)


@frozen
class Site:
    """Registry ``solo`` (id 7) over the origin ``near``, ``main`` (id 1) over ``near`` and
    ``far``."""

    near: Origin
    far: Origin
    clock: FakeClock
    assembly: Assembly
    door: Door
    data: Path
    witness: Witness
    credentials: Named
    """Headers of every ``get`` and ``head``."""

    def get(self, path: str, headers: Named = NOTHING, registry: str = "solo") -> Answer:
        return self.door.ask("GET", f"/maven/{registry}/{path}", {**self.credentials, **headers})

    def head(self, path: str, headers: Named = NOTHING, registry: str = "solo") -> Answer:
        return self.door.ask("HEAD", f"/maven/{registry}/{path}", {**self.credentials, **headers})

    def fill(self, path: str, registry: str = "solo") -> Answer:
        """Ask for a path that is not cached, and wait until it is."""
        answer = self.get(path, registry=registry)
        assert (answer.status, answer.origin) == (200, "miss")
        self.witness.await_filled(path)
        return answer

    def make_ready(self, path: str, registry: str = "solo") -> Answer:
        """Cache a path, and ask again: from now on its answer is ready to be repeated."""
        self.fill(path, registry)
        answer = self.get(path, registry=registry)
        assert answer.origin == "hit"
        return answer

    def merge(self) -> Answer:
        """Have the metadata merged and cached; its answer is ready."""
        assert self.get(METADATA, registry="main").origin == "merged"
        # Documents are published in order: once a later one is there, so are the earlier ones.
        marker = f"{PROJECT}/1.0/marker.txt"
        self.near.put(marker, b"marker")
        self.fill(marker)
        answer = self.get(METADATA, registry="main")
        assert answer.origin == "hit"
        return answer

    @property
    def near_key(self) -> str:
        return self._key("near")

    def entry(self, path: str, source: str = "near") -> Entry:
        (found,) = self.assembly.index.find(path, [self._key(source)])
        return found

    def _key(self, name: str) -> str:
        return next(one.spec.key for one in self.assembly.upstreams if one.spec.name == name)

    def forget_stored(self, entry: Entry) -> None:
        """Take away everything of an entry that is not in the memory of the edge."""
        (self.data / blob_key(entry.sha256)).unlink()
        assert self.assembly.index.drop(entry.source, entry.path) == 1


OpenDoor = Callable[[WSGIApplication, str], AbstractContextManager[Door]]
NO_SETTINGS: Mapping[str, Any] = {}


@contextmanager
def opened(
    folder: Path,
    door: OpenDoor,
    prefix: str,
    *,
    authenticator: Authenticator | None = None,
    server: ServerConfig | None = None,
    credentials: Named = NOTHING,
    settings: Mapping[str, Any] = NO_SETTINGS,
    storage: Mapping[str, Any] = NO_SETTINGS,
) -> Iterator[Site]:
    """A site in ``folder``. ``settings`` are further fields of both upstreams, ``storage`` of where
    all is kept."""
    clock = FakeClock()
    with ExitStack() as stack:
        near, far = stack.enter_context(Origin()), stack.enter_context(Origin())
        for path, body in ((POM, SMALL_BODY), (MIDDLE, MIDDLE_BODY), (JAR, LARGE_BODY)):
            near.put(path, body)
        near.put(METADATA, metadata("1.0"))
        far.put(METADATA, metadata("1.1"))
        witness = Witness()
        specs = [_upstream("near", near, settings), _upstream("far", far, settings)]
        assembly = build(
            Config(
                (_registry(7, "solo", specs[:1]), _registry(1, "main", specs)),
                server or ServerConfig(),
                StorageConfig(folder / "data", **storage),
            ),
            authenticator=authenticator,
            observers=[witness],
            clock=clock,
        )
        stack.callback(assembly.close)
        entrance = stack.enter_context(door(assembly.app, prefix))
        data = folder / "data"
        yield Site(near, far, clock, assembly, entrance, data, witness, credentials)


def _upstream(name: str, origin: Origin, settings: Mapping[str, Any]) -> UpstreamSpec:
    return UpstreamSpec(name, origin.url, allow_private=("127.0.0.0/8",), **settings)


def _registry(id: int, name: str, upstreams: Sequence[UpstreamSpec]) -> RegistrySpec:  # noqa: A002
    return RegistrySpec(id, name, "maven", tuple(upstreams))

"""One registry over fake upstreams, with a real store, a real index and real threads below."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from tests.service.recorder import Recorder
from virtreg.backends.index import open_index
from virtreg.backends.store import LocalStore
from virtreg.errors import UpstreamError, UpstreamUnavailable
from virtreg.events import Filled, FillFailed, Observer
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.model import Entry, Ownership, RegistrySpec, Representation, Route, UpstreamSpec
from virtreg.protocols import CacheStore, Format, Upstream
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake, free_in
from virtreg.service.patience import Patience
from virtreg.service.publishing import Publisher
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.resolution import Resolved
from virtreg.service.room import Room
from virtreg.service.spool import PIECE
from virtreg.service.works import Coordinates, Works
from virtreg.testing.fakes import FakeClock, FakeUpstream

FILE = "org/example/a/1.0/a-1.0.bin"
"""A file whose content the format does not look into."""
OTHER = "org/example/a/1.0/a-1.0-other.bin"
SMALL = b"small" * 1000
LARGE = bytes(range(256)) * 4096
"""1 MiB: spooled, not read into memory."""
VISIBLE = len(LARGE) - PIECE
"""How much of LARGE may leave before it is proved."""
HOUR = 3600.0
DAY = 24 * HOUR


def fake(name: str, **settings: Any) -> FakeUpstream:
    """An upstream in memory with these settings of its spec."""
    return FakeUpstream(spec=UpstreamSpec(name, f"http://{name}.invalid", **settings))


def down(name: str = "a") -> UpstreamError:
    return UpstreamUnavailable(f"{name} is down", upstream=name)


@frozen
class Got:
    """An answer with its body read."""

    body: bytes = field(repr=False)
    origin: str
    representation: Representation
    expires_at: float


class Hub:
    """The parts of one process around one registry. Closing it checks that every reply of a fake
    upstream was closed."""

    def __init__(
        self,
        folder: Path,
        upstreams: Sequence[Upstream],
        *,
        order: Literal["cached", "strict"] = "cached",
        format: Format | None = None,  # noqa: A002 - the protocol's word
        store: CacheStore | None = None,
        observers: Sequence[Observer] = (),
        offline: bool = False,
        room: Room | None = None,
        ownerships: Sequence[Ownership] = (),
        others: Coordinates | None = None,
        streams: bool = True,
        patience: float = 60.0,
        free: Callable[[Path], int] = free_in,
    ) -> None:
        self.clock = FakeClock()
        self.events = Recorder()
        self.upstreams = upstreams
        self.folder = folder
        self._spools = LocalStore(folder / "store")
        self.store = store or self._spools
        self.index = open_index(folder / "index")
        self._closed = False
        self.works = Works(
            store=self.store,
            index=self.index,
            intake=Intake(self._spools.spool, self.clock, free),
            publisher=Publisher(self.store, self.index, room),
            clock=self.clock,
            observers=(*observers, self.events),
            others=others,
            patience=Patience(patience),
            streams=streams,
        )
        spec = RegistrySpec(
            1,
            "all",
            "maven",
            tuple(upstream.spec for upstream in upstreams),
            order,
            ownerships=tuple(ownerships),
        )
        self.guarded = [
            GuardedUpstream(upstream, self.clock, offline=offline) for upstream in upstreams
        ]
        self.registry = PullThroughRegistry(spec, format or MavenFormat(), self.guarded, self.works)

    def resolve(self, path: str | Route) -> Resolved:
        return self.registry.resolve(self.route(path))

    def route(self, path: str | Route) -> Route:
        return self.registry.format.route(path) if isinstance(path, str) else path

    def get(self, path: str | Route) -> Got:
        """Resolve and read to the end."""
        resolved = self.resolve(path)
        with resolved.body:
            body = b"".join(resolved.body.read())
        return Got(body, resolved.origin, resolved.representation, resolved.expires_at)

    def pull(self, path: str | Route) -> Got:
        """``get``, and wait until what it brought is published or was given up."""
        name = self.route(path).path
        before = self._fills(name)
        got = self.get(path)
        if got.origin == "miss":
            self.events.wait_until(lambda: self._fills(name) > before, f"end of {name}")
        self.flush()
        return got

    def flush(self) -> None:
        """Wait until everything handed to the publisher so far is published."""
        done = threading.Event()
        content = b"flush"
        entry = entry_of("nobody", "flush", content)
        self.works.publisher.later(entry, content, lambda _error: done.set())
        assert done.wait(20)

    def entry(self, upstream: Upstream, path: str) -> Entry | None:
        found = self.index.find(path, [upstream.spec.key])
        return found[0] if found else None

    def blobs(self) -> set[str]:
        """The digests in the store, but for what ``flush`` leaves."""
        digests = {key.rpartition("/")[2] for key, _, _ in self.store.list()}
        return digests - {hashlib.sha256(b"flush").hexdigest()}

    def together(self, count: int, path: str) -> list[Got | Exception]:
        """What that many threads get that ask at the same time."""
        barrier = threading.Barrier(count)

        def ask() -> Got | Exception:
            barrier.wait(20)
            try:
                return self.get(path)
            except Exception as error:  # noqa: BLE001 - compared by the test
                return error

        with ThreadPoolExecutor(count) as threads:
            asking = [threads.submit(ask) for _ in range(count)]
            return [each.result(30) for each in asking]

    def close(self, grace: float = 20.0) -> None:
        if self._closed:
            return
        self._closed = True
        self.works.close(grace)
        for guarded in self.guarded:
            guarded.threads.shutdown(wait=True)
            guarded.close()
        for thread in threading.enumerate():
            if thread.name in ("virtreg-transfer", "virtreg-digest", "virtreg-succession"):
                thread.join(20)
        self.index.close()
        self._spools.close()
        for upstream in self.upstreams:
            if isinstance(upstream, FakeUpstream):
                left = [reply for reply in upstream.replies if not reply.closed]
                assert left == [], f"{upstream.spec.name} has replies left open"

    def _fills(self, path: str) -> int:
        return len(self.events.of(Filled, path)) + len(self.events.of(FillFailed, path))


MakeHub = Callable[..., Hub]


def entry_of(source: str, path: str, content: bytes, *, at: float = 0) -> Entry:
    """An index row for some bytes."""
    return Entry(
        source=source,
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        sha1=hashlib.sha1(content).hexdigest(),
        md5=hashlib.md5(content).hexdigest(),
        sha512=hashlib.sha512(content).hexdigest(),
        content_type=None,
        etag=None,
        last_modified=None,
        created_at=at,
        checked_at=at,
    )


class Background:
    """A call on a thread of its own, for what blocks until the test goes on."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._threads = ThreadPoolExecutor(1)
        self._future = self._threads.submit(call)

    def result(self) -> Any:
        """What the call returns or raises."""
        with closing(self):
            return self._future.result(20)

    def close(self) -> None:
        self._threads.shutdown(wait=True)

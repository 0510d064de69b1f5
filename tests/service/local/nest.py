"""Registries of one process that list each other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.service.hub import entry_of
from tests.service.recorder import Recorder
from virtreg.backends.folder import FolderSource
from virtreg.backends.index import open_index
from virtreg.backends.store import LocalStore
from virtreg.events import Filled
from virtreg.formats import named
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.protocols import Upstream
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake
from virtreg.service.local import LocalUpstream
from virtreg.service.nesting import NestedRegistry
from virtreg.service.publishing import Publisher
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.resolution import Resolved
from virtreg.service.works import Works
from virtreg.testing.fakes import FakeClock


def to(registry: str, **settings: Any) -> UpstreamSpec:
    """An upstream that is a registry; called as it is, ``to-NAME``."""
    return UpstreamSpec(f"to-{registry}", registry=registry, **settings)


def folder(path: Path, **settings: Any) -> UpstreamSpec:
    return UpstreamSpec("folder", folder=str(path), **settings)


class Nest:
    """Close it after the last request."""

    def __init__(self, place: Path) -> None:
        self.clock = FakeClock()
        self.events = Recorder()
        self.store = LocalStore(place / "store")
        self.index = open_index(place / "index")
        self.works = Works(
            self.store,
            self.index,
            Intake(self.store.spool, self.clock),
            Publisher(self.store, self.index),
            self.clock,
            (self.events,),
        )
        self.registries: dict[str, PullThroughRegistry] = {}
        self.off: set[str] = set()
        """Groups that are switched off."""
        self._upstreams: list[GuardedUpstream] = []

    def add(
        self,
        name: str,
        *upstreams: Upstream | UpstreamSpec,
        format_name: str = "maven",
        offline: bool = False,
        **settings: Any,
    ) -> PullThroughRegistry:
        """Make a registry, or take the place of the one with this name."""
        guarded = [self._guarded(each, offline) for each in upstreams]
        spec = RegistrySpec(
            len(self.registries) + 1,
            name,
            format_name,
            tuple(each.spec for each in guarded),
            **settings,
        )
        made = PullThroughRegistry(spec, named(format_name), guarded, self.works)
        self.registries = {**self.registries, name: made}
        return made

    def remove(self, name: str) -> None:
        self.registries = {key: made for key, made in self.registries.items() if key != name}

    def resolve(self, name: str, path: str) -> Resolved:
        registry = self.registries[name]
        return registry.resolve(registry.format.route(path))

    def get(self, name: str, path: str, start: int = 0, stop: int | None = None) -> bytes:
        """Resolve and read to the end."""
        resolved = self.resolve(name, path)
        with resolved.body as body:
            return b"".join(body.read(start, stop))

    def pull(self, name: str, path: str) -> bytes:
        """``get``, and wait until what was downloaded is kept."""
        before = len(self.events.of(Filled, path))
        resolved = self.resolve(name, path)
        with resolved.body as body:
            content = b"".join(body.read())
        if resolved.origin == "miss":
            self.events.wait(Filled, path, before + 1)
        return content

    def flush(self) -> None:
        """Wait until everything handed to the publisher so far is published."""
        done = threading.Event()
        entry = entry_of("nobody", "flush", b"flush")
        self.works.publisher.later(entry, b"flush", lambda _error: done.set())
        assert done.wait(20)

    def kept(self, path: str) -> list[str]:
        """The sources in the index that hold a path, by the names of their upstreams; a registry's
        own documents by the registry's name."""
        names = {each.spec.key: each.spec.name for each in self._upstreams}
        names |= {each.spec.key: each.spec.name for each in self.registries.values()}
        return sorted(names[entry.source] for entry in self.index.find(path, list(names)))

    def blobs(self) -> Sequence[str]:
        return [key for key, _, _ in self.store.list()]

    def close(self) -> None:
        self.works.close(20)
        for each in self._upstreams:
            each.threads.shutdown(wait=True)
            each.close()
        self.index.close()
        self.store.close()

    def _guarded(self, upstream: Upstream | UpstreamSpec, offline: bool) -> GuardedUpstream:
        made: GuardedUpstream
        if not isinstance(upstream, UpstreamSpec):
            made = GuardedUpstream(upstream, self.clock, offline=offline)
        elif upstream.folder is not None:
            made = LocalUpstream(FolderSource(upstream), self.clock)
        else:
            source = NestedRegistry(
                upstream, lambda: self.registries, lambda group: group not in self.off
            )
            made = LocalUpstream(source, self.clock)
        self._upstreams.append(made)
        return made

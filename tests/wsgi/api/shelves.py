"""What is cached behind a desk."""

from __future__ import annotations

import threading
from typing import Any

from attrs import evolve, frozen

from tests.service.hub import entry_of
from tests.wsgi.api.desks import MAVEN, Desk
from virtreg.core.layout import blob_key
from virtreg.model import Entry
from virtreg.service.registry import PullThroughRegistry
from virtreg.testing.fakes import FakeUpstream

POM = "org/example/a/1.0/a-1.0.pom"
OTHER = "com/evil/b/2.0/b-2.0.pom"
METADATA = "org/example/a/maven-metadata.xml"
BODY = b"<project>a</project>"

IMAGE = "library/alpine/manifests/3"


@frozen
class Shelf:
    """Registry ``main`` over the upstream ``central``, and what is cached of that."""

    desk: Desk
    registry: int
    upstream: int
    url: str
    part: str

    @property
    def root(self) -> str:
        return f"/virtual_registries/{self.part}"

    @property
    def of_upstream(self) -> str:
        return f"{self.root}/upstreams/{self.upstream}"

    @property
    def of_registry(self) -> str:
        return f"{self.root}/registries/{self.registry}"

    @property
    def source(self) -> str:
        found = self.desk.catalog.upstream(self.upstream)
        assert found is not None
        return found.spec.key

    @property
    def origin(self) -> FakeUpstream:
        """What the upstream truly has."""
        return self.desk.upstreams[self.url]

    @property
    def serving(self) -> PullThroughRegistry:
        found = self.desk.live.registry(self.registry)
        assert found is not None
        return found

    def keep(self, path: str, content: bytes = BODY, **facts: Any) -> Entry:
        """Have a file in the cache, as if it had been pulled now."""
        entry = evolve(entry_of(self.source, path, content, at=self.desk.clock()), **facts)
        self.desk.parts.store.put(blob_key(entry.sha256), content)
        self.desk.index.put([entry])
        return entry

    def pull(self, path: str) -> bytes:
        """As a client does."""
        with self.serving.resolve(self.serving.format.route(path)).body as body:
            return b"".join(body.read())

    def settle(self) -> None:
        """Wait until what was pulled is cached."""
        settled = threading.Event()
        marker = entry_of("nobody", "marker", b"")
        self.desk.works.publisher.later(marker, b"", lambda _error: settled.set())
        assert settled.wait(20)

    def held(self, path: str) -> Entry | None:
        found = self.desk.index.find(path, [self.source])
        return found[0] if found else None

    def entries(self, query: str = "", who: str = "guest") -> list[dict[str, Any]]:
        told = self.desk.ask("GET", f"{self.of_upstream}/cache_entries{query}", who)
        assert told.status == 200, told.answer.body
        found: list[dict[str, Any]] = told.json
        return found


def shelf(desk: Desk, part: str = MAVEN, **fields: Any) -> Shelf:
    registry = desk.registry("main", part)
    made = desk.upstream(registry, "central", part, **fields)
    return Shelf(desk, registry, made["id"], made["url"], part)

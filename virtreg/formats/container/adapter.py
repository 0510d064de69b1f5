"""The container format: decisions only, each made in the module named after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from attrs import frozen

from virtreg.errors import VirtregError
from virtreg.formats.challenges import basic_challenge
from virtreg.formats.container import (
    catalog,
    content,
    coordinates,
    describing,
    expecting,
    links,
    localizing,
    merging,
    paging,
    problems,
    referrers,
    routes,
    tags,
)
from virtreg.model import (
    Algorithm,
    Coordinates,
    Digests,
    Examination,
    Expectation,
    Headers,
    Problem,
    Query,
    Representation,
    Route,
    UpstreamSpec,
    View,
)


@frozen
class ContainerFormat:
    """Implements :class:`virtreg.protocols.Format` with the powers Localizes, Pins, Gathers,
    Views, Lists and Situates, for container images and other OCI artifacts. Stateless; share it
    between threads."""

    name: ClassVar[str] = "container"
    targets: ClassVar[frozenset[str]] = coordinates.TARGETS

    def route(self, path: str) -> Route:
        return routes.parse(path)

    def expect(self, route: Route) -> Expectation:
        return expecting.expect(route)

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        return content.examine(route, headers, head)

    def merge(
        self, route: Route, documents: Sequence[tuple[str, bytes]]
    ) -> tuple[bytes, list[str]]:
        return merging.merge(route, documents)

    def complete(self, route: Route) -> bool:  # noqa: ARG002 - nothing is listed by everybody
        return False

    def headers(self, route: Route, representation: Representation) -> Headers:
        return describing.headers(route, representation)

    def problem(self, error: VirtregError) -> Problem:
        return problems.problem(error)

    def challenge(self, realm: str) -> str:
        return basic_challenge(realm)

    def localize(self, route: Route, upstream: UpstreamSpec) -> Route:
        return localizing.localize(route, upstream)

    def pinned(self, route: Route, digests: Digests) -> Route | None:
        """SHA-256 before SHA-512: it is what most clients ask with."""
        if not route.moving:
            return None
        repository = routes.split(route.path)[0]
        for algorithm in (Algorithm.SHA256, Algorithm.SHA512):
            if algorithm in digests:
                return routes.by_digest(repository, (algorithm, digests[algorithm]))
        return None

    def following(self, route: Route, headers: Mapping[str, str]) -> Query | None:  # noqa: ARG002
        return links.next_query(headers.get("link", ""))

    def join(self, route: Route, pages: Sequence[bytes]) -> bytes:
        return merging.combine(route, pages)

    def elsewhere(self, route: Route) -> Route | None:
        return referrers.tag_schema(route) if _kind(route) == "referrers" else None

    def nothing(self, route: Route) -> bytes | None:
        """A registry that lists referrers has an answer for every digest."""
        return referrers.combine(()) if _kind(route) == "referrers" else None

    def view(
        self, route: Route, url: str, query: Mapping[str, str], document: bytes
    ) -> View | None:
        if route.listing:
            return catalog.view(url, query, document) if paging.asked(query) else None
        repository, kind, _ = routes.split(route.path)
        if kind == "tags" and paging.asked(query):
            return tags.view(repository, url, query, document)
        if kind == "referrers" and query.get("artifactType"):
            return referrers.view(query["artifactType"], document)
        return None

    def shelf(self, path: str) -> tuple[str | None, str]:
        return catalog.shelf(path)

    def catalog(self, route: Route, names: Sequence[str]) -> bytes:  # noqa: ARG002
        return catalog.document(names)

    def coordinates(
        self, route: Route, upstream: UpstreamSpec | None = None
    ) -> tuple[Coordinates, ...]:
        return coordinates.coordinates(route, upstream)

    def sift(
        self, route: Route, document: bytes, allowed: Callable[[Coordinates], bool]
    ) -> bytes | None:
        return coordinates.sift(route, document, allowed)

    def released(self, route: Route) -> bool:  # noqa: ARG002 - registries date no image
        return False


def _kind(route: Route) -> routes.Kind | None:
    return routes.split(route.path)[1]

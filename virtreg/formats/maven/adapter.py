"""The Maven format: decisions only, each made in the module named after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from attrs import frozen

from virtreg.core.digests import etag_claims, header_claims
from virtreg.errors import InvalidRequest, VirtregError
from virtreg.formats.challenges import basic_challenge
from virtreg.formats.maven import (
    content,
    coordinates,
    describing,
    markup,
    merging,
    paths,
    prefixes,
    problems,
    sifting,
)
from virtreg.model import (
    Algorithm,
    Coordinates,
    Examination,
    Expectation,
    Headers,
    Problem,
    Representation,
    Route,
    UpstreamSpec,
)

MAX_FILE_BYTES = 5 * 1024**3
_SIDECARS = (Algorithm.SHA1, Algorithm.MD5)
"""What repositories publish, and what Maven itself asks for, in its order."""


@frozen
class MavenFormat:
    """Implements :class:`virtreg.protocols.Format` with the power Situates. Stateless; share it
    between threads."""

    name: ClassVar[str] = "maven"
    targets: ClassVar[frozenset[str]] = coordinates.TARGETS

    def route(self, path: str) -> Route:
        return paths.parse(path)

    def expect(self, route: Route) -> Expectation:
        """Documents that change get no sidecars: between two requests upstream may replace the
        one or the other, and repositories are known to let the checksums lag."""
        if route.merged:
            return Expectation(max_bytes=markup.MAX_BYTES)
        if route.path.rsplit("/", 1)[-1] == paths.CATALOG:
            return Expectation(max_bytes=MAX_FILE_BYTES)
        sidecars = tuple((algorithm, f"{route.path}.{algorithm}") for algorithm in _SIDECARS)
        return Expectation(max_bytes=MAX_FILE_BYTES, sidecars=sidecars)

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        claims = {**etag_claims(headers.get("etag", "")), **header_claims(headers)}
        return Examination(claims, content.refusal(route.path, headers, head))

    def merge(
        self, route: Route, documents: Sequence[tuple[str, bytes]]
    ) -> tuple[bytes, list[str]]:
        if not route.merged:
            raise InvalidRequest(f"{route.path} is one upstream's file and never merged")
        if route.path == paths.PREFIXES:
            return prefixes.merge(documents), []
        return merging.merge(route.path, documents)

    def complete(self, route: Route) -> bool:
        return route.path == paths.PREFIXES

    def headers(self, route: Route, representation: Representation) -> Headers:
        return describing.headers(route, representation)

    def problem(self, error: VirtregError) -> Problem:
        return problems.problem(error)

    def challenge(self, realm: str) -> str:
        return basic_challenge(realm)

    def coordinates(
        self,
        route: Route,
        upstream: UpstreamSpec | None = None,  # noqa: ARG002 - all know one path
    ) -> tuple[Coordinates, ...]:
        return coordinates.coordinates(route)

    def sift(
        self, route: Route, document: bytes, allowed: Callable[[Coordinates], bool]
    ) -> bytes | None:
        return sifting.sift(route, document, allowed)

    def released(self, route: Route) -> bool:
        return coordinates.released(route)

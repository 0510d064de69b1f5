"""What one kind of package or image is like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from virtreg.errors import VirtregError
from virtreg.model import (
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


class Format(Protocol):
    """One package format: pure decisions, no I/O, no clock."""

    @property
    def name(self) -> str:
        """The format's name in configuration and URLs."""
        ...

    def route(self, path: str) -> Route:
        """Parse the path below the registry's URL (decoded, no leading slash) into a Route.

        Raises InvalidRequest with the reason for anything outside the format's grammar, NotFound
        for what is well-formed but never served. ``route(route(p).path)`` is the route of the
        file itself, without ``checksum``.
        """
        ...

    def expect(self, route: Route) -> Expectation:
        """What to ask upstream and what to hold the answer to."""
        ...

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        """Judge an upstream's answer by its headers (lower-case names) and first bytes (up to
        4096, fewer only when the body ends)."""
        ...

    def merge(
        self, route: Route, documents: Sequence[tuple[str, bytes]]
    ) -> tuple[bytes, list[str]]:
        """Build one document from the ``(upstream name, bytes)`` that exist, best position first,
        at least one. Returns it with the names left out because their document is unusable.

        Deterministic, idempotent; one usable document comes back byte for byte, unless it is not
        quite what the format's specification promises clients. Raises IntegrityError when none is
        usable and NotFound when a truthful merge does not exist.
        """
        ...

    def complete(self, route: Route) -> bool:
        """Whether a merge is a lie unless *every* upstream contributed (else absent is fine)."""
        ...

    def headers(self, route: Route, representation: Representation) -> Headers:
        """Headers about the body: media type, checksums. Not length, validators or ranges."""
        ...

    def problem(self, error: VirtregError) -> Problem:
        """The error as this format's clients read it. Never an empty body."""
        ...

    def challenge(self, realm: str) -> str:
        """The ``WWW-Authenticate`` value sent with 401."""
        ...


@runtime_checkable
class Localizes(Protocol):
    """Power of a Format: the upstreams of one registry know a route under different paths."""

    def localize(self, route: Route, upstream: UpstreamSpec) -> Route:
        """The route as this upstream knows it; its path is the key of the upstream's entries.
        Idempotent. Cheap: called for every upstream of every request that is not ready."""
        ...


@runtime_checkable
class Pins(Protocol):
    """Power of a Format: names that move stand for bodies that have paths of their own."""

    def pinned(self, route: Route, digests: Digests) -> Route | None:
        """The route of the very body with these digests (any subset), whose ``digest`` is set;
        None when the route is no moving name or no digest will do."""
        ...


@runtime_checkable
class Gathers(Protocol):
    """Power of a Format: how an upstream's part of a merged document is had."""

    def following(self, route: Route, headers: Mapping[str, str]) -> Query | None:
        """The query of the next page, from the headers (lower-case names) of the page before;
        None when that was the last one. Of what an upstream links to, the query alone counts.
        Raises IntegrityError for a next page that cannot be asked for."""
        ...

    def join(self, route: Route, pages: Sequence[bytes]) -> bytes:
        """One document of an upstream's pages, two at least, in order. Raises IntegrityError."""
        ...

    def elsewhere(self, route: Route) -> Route | None:
        """Where an upstream that does not know the path may keep the same document."""
        ...

    def nothing(self, route: Route) -> bytes | None:
        """The document when no upstream has one; None: then it is absent."""
        ...


@runtime_checkable
class Views(Protocol):
    """Power of a Format: queries ask for parts of a document."""

    def view(
        self, route: Route, url: str, query: Mapping[str, str], document: bytes
    ) -> View | None:
        """The document as the query (first value of each name, decoded) wants it, None when it is
        wanted whole. ``url`` is the path of the request as the client sees it, percent-encoded,
        for links. Raises InvalidRequest naming the parameter."""
        ...


@runtime_checkable
class Lists(Protocol):
    """Power of a Format: routes that list what is cached."""

    def shelf(self, path: str) -> tuple[str | None, str]:
        """What a cached path counts for in the list, None for nothing, and a string after which,
        in order of code points, the next path that may count for something else comes."""
        ...

    def catalog(self, route: Route, names: Sequence[str]) -> bytes:
        """The document, of distinct names in order of code points."""
        ...


@runtime_checkable
class Situates(Protocol):
    """Power of a Format: tell what a path is about, for rules to be applied to it."""

    @property
    def targets(self) -> frozenset[str]:
        """The coordinates there are, which rules may be about."""
        ...

    def coordinates(
        self, route: Route, upstream: UpstreamSpec | None = None
    ) -> tuple[Coordinates, ...]:
        """What the route is about: several when it cannot be told which is meant, none when it is
        nothing that rules speak of. A checksum or a signature is about what its file is about.
        With the power Localizes, ``route`` is as ``upstream`` knows it, and every name by which
        the upstream can be asked for it counts."""
        ...

    def sift(
        self, route: Route, document: bytes, allowed: Callable[[Coordinates], bool]
    ) -> bytes | None:
        """One upstream's part of a merged document without what is not allowed; None when nothing
        is left. Idempotent; what loses nothing comes back byte for byte, and so does what is
        unusable, for ``merge`` to refuse."""
        ...

    def released(self, route: Route) -> bool:
        """Whether the path is a file of one release, which the upstream dates as it publishes
        it."""
        ...

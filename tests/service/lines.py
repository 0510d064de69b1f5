"""A format with every power that merged documents can have, as small as it can be: documents are
lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import parse_qsl

from attrs import frozen

from virtreg.errors import IntegrityError
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.model import Examination, Expectation, Freshness, Query, Route, UpstreamSpec

FIRST = (("n", "2"),)
"""The query of a first page."""
MAX_BYTES = 64 * 1024
NAMES = Route("names", listing=True)


@frozen
class LinesFormat(MavenFormat):
    """``<name>/list`` is merged, ``<name>/files/<file>`` counts for the list of names."""

    name: ClassVar[str] = "lines"
    old: bool = False
    """Whether upstreams may keep ``<name>/list`` at ``<name>/old``."""
    empty: bytes | None = None
    """The list of what nobody has."""

    def route(self, path: str) -> Route:
        return Route(path, Freshness.LISTING, merged=path.endswith("/list"))

    def expect(self, route: Route) -> Expectation:
        query = FIRST if route.merged else ()
        return Expectation(prefix="v9/", max_bytes=MAX_BYTES, query=query)

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        return Examination(refusal="sends a web page" if head.startswith(b"<") else None)

    def merge(
        self, route: Route, documents: Sequence[tuple[str, bytes]]
    ) -> tuple[bytes, list[str]]:
        assert route.merged
        if any(b"!" in document for _, document in documents):
            raise IntegrityError("a line cannot be read")
        if len(documents) == 1:
            return documents[0][1], []
        lines = {line for _, document in documents for line in document.split()}
        return b"\n".join(sorted(lines)), []

    def complete(self, route: Route) -> bool:
        return False

    def localize(self, route: Route, upstream: UpstreamSpec) -> Route:
        name, _, rest = route.path.rpartition("/")
        if upstream.default_namespace is None or "/" in name:
            return route
        path = f"{upstream.default_namespace}/{name}/{rest}"
        return Route(path, route.freshness, merged=route.merged)

    def following(self, route: Route, headers: Mapping[str, str]) -> Query | None:
        return tuple(parse_qsl(headers["next"])) if "next" in headers else None

    def join(self, route: Route, pages: Sequence[bytes]) -> bytes:
        if b"?" in b"".join(pages):
            raise IntegrityError("the pages do not fit together")
        return b"\n".join(pages)

    def elsewhere(self, route: Route) -> Route | None:
        if not self.old:
            return None
        return Route(route.path.removesuffix("/list") + "/old", Freshness.ARTIFACT)

    def nothing(self, route: Route) -> bytes | None:
        return self.empty

    def shelf(self, path: str) -> tuple[str | None, str]:
        name, found, _ = path.rpartition("/files/")
        return (name, f"{name}/files/\U0010ffff") if found else (None, path)

    def catalog(self, route: Route, names: Sequence[str]) -> bytes:
        return "\n".join(names).encode()

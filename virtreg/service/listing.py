"""Lists of what the cache holds, such as the repositories of a catalog, told by the index alone."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from virtreg.model import Algorithm, RegistrySpec, Representation, Route
from virtreg.protocols import Format, Lists
from virtreg.service.barring import Barring
from virtreg.service.bodies import BytesBody
from virtreg.service.digesting import digest
from virtreg.service.resolution import Resolved
from virtreg.service.works import Works

MOST_NAMES = 10_000
"""Names in a list; of more, those are told whose paths come first."""

_AT_ONCE = 20
"""Rows a query, few enough to be cheap where a leap follows, and enough where none can."""


class Listing:
    """The lists of one registry. Thread-safe.

    A list is made anew for each request, from a few small queries for each name, and never kept:
    it changes with every first download.
    """

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        works: Works,
        barring: Barring | None = None,
        *,
        most: int = MOST_NAMES,
    ) -> None:
        self._spec = spec
        self._format = format
        self._works = works
        self._barring = barring
        self._most = most

    def resolve(self, route: Route) -> Resolved:
        """Answer a route with ``listing``, which only formats with the power Lists make. Raises
        StorageError when the index cannot be asked."""
        assert isinstance(self._format, Lists)
        data = self._format.catalog(route, sorted(self._names(self._format)))
        return Resolved(
            route,
            self._spec.key,
            Representation(len(data), digest([data], Algorithm)),
            BytesBody(data),
            "hit",
            0,
        )

    def _names(self, format: Lists) -> set[str]:  # noqa: A002 - the protocol's word
        """Distinct names over all upstreams, the first ones by path."""
        shelves = [
            self._shelves(format, position, upstream.key)
            for position, upstream in enumerate(self._spec.upstreams)
        ]
        names: dict[str, None] = {}
        for _, name in heapq.merge(*shelves):
            names[name] = None
            if len(names) == self._most:
                break
        return set(names)

    def _shelves(
        self,
        format: Lists,  # noqa: A002 - the protocol's word
        position: int,
        source: str,
    ) -> Iterator[tuple[str, str]]:
        """The ``(path, name)`` at which names begin, by path, leaping over the paths of a name
        as far as the format can tell. What the upstream may not answer for counts for nothing."""
        after = ""
        while found := self._works.index.page(source, after=after, limit=_AT_ONCE):
            for path in (entry.path for entry in found):
                if path > after:
                    name, last = format.shelf(path)
                    if name is not None and self._lists(position, path):
                        yield path, name
                    after = max(path, last)

    def _lists(self, position: int, path: str) -> bool:
        return self._barring is None or self._barring.lists(position, path)

"""One route, under the path that each upstream knows it by."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from virtreg.model import Entry, Route, UpstreamSpec
from virtreg.protocols import EntryIndex, Format, Localizes


@frozen
class Asked:
    """A route as it was asked for, and as each position knows it."""

    route: Route
    known_as: tuple[Route, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The same for every spelling of one route."""
        return tuple(route.path for route in self.known_as)


class Localizer:
    """Of one registry. Thread-safe."""

    def __init__(
        self,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[UpstreamSpec],
    ) -> None:
        self._power = format if isinstance(format, Localizes) else None
        self._upstreams = tuple(upstreams)
        self._sources = tuple(upstream.key for upstream in upstreams)

    def asked(self, route: Route) -> Asked:
        if self._power is None:
            return Asked(route, (route,) * len(self._upstreams))
        localize = self._power.localize
        return Asked(route, tuple(localize(route, upstream) for upstream in self._upstreams))

    def entries(self, index: EntryIndex, asked: Asked) -> dict[str, Entry]:
        """What the cache holds of it, by source; one query where all agree on the path."""
        paths = asked.paths
        found: list[Entry] = []
        for path in dict.fromkeys(paths):
            sources = [
                source for source, other in zip(self._sources, paths, strict=True) if other == path
            ]
            found += index.find(path, sources)
        return {entry.source: entry for entry in found}

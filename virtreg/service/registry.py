"""The virtual registry: one route in, one answer out, from the cache or from the upstreams."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attrs import evolve

from virtreg.core.freshness import UNVOUCHED
from virtreg.core.walk import Serve
from virtreg.errors import InvalidRequest, NotFound, StoreUnavailable
from virtreg.events import Purged, ServedStale
from virtreg.model import Entry, RegistrySpec, Route
from virtreg.protocols import EntryIndex, Format
from virtreg.service.arrival import representation_of
from virtreg.service.asking import Heard
from virtreg.service.barring import Barring
from virtreg.service.bypassing import Bypassing
from virtreg.service.checksums import checksum_of
from virtreg.service.describing import Describing, Undelivered
from virtreg.service.explaining import Explaining, Explanation
from virtreg.service.flights import Flight
from virtreg.service.health import GuardedUpstream
from virtreg.service.listing import Listing
from virtreg.service.localizing import Asked
from virtreg.service.merging import Merging
from virtreg.service.questions import Questions
from virtreg.service.resolution import Resolved
from virtreg.service.spare import Spare, resolve_in_time
from virtreg.service.taking import Taking
from virtreg.service.walking import Entries, Walking
from virtreg.service.works import STALE_REPEATED, Landed, Works


class PullThroughRegistry:
    """The protocol ``VirtualRegistry``, with the powers ``Describes`` and ``Bypasses``.
    Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[GuardedUpstream],
        works: Works,
    ) -> None:
        """Raises ConfigError for rules that cannot be applied."""
        self.spec = spec
        self.format = format
        self._works = works
        barring = Barring.of(spec, format, works.clock)
        self._walking = Walking(spec, format, upstreams, works, barring)
        self._questions = Questions(format, self._walking, works)
        self._taking = Taking(format, self._walking, works, self.resolve)
        self._bypassing = Bypassing(format, self._walking, self._taking, works)
        self._describing = Describing(format, self._walking)
        self._merging = Merging(spec, format, upstreams, works, barring)
        self._listing = Listing(spec, format, works, barring)
        self._explaining = Explaining(spec, format, self._walking, works)

    @property
    def _index(self) -> EntryIndex:
        return self._works.index

    def resolve(self, route: Route) -> Resolved:
        if route.checksum is not None:
            return checksum_of(self._resolve(evolve(route, checksum=None), facts=True), route)
        return self._resolve(route)

    def _resolve(self, route: Route, *, facts: bool = False) -> Resolved:
        """``facts``: they are enough where what is kept cannot be read."""
        if route.merged:
            return self._merging.resolve(route)
        if route.listing:
            return self._listing.resolve(route)
        asked = self._walking.asked(route)
        entries = self._walking.entries(asked)
        try:
            return self._found(asked, entries)
        except StoreUnavailable:
            known = self._known(asked, entries) if facts else None
            return known or self._bypassing.resolve(asked)

    def bypass(self, route: Route) -> Resolved:
        if route.checksum is not None:
            return checksum_of(self.bypass(evolve(route, checksum=None)), route)
        if route.merged:
            return self._merging.bypass(route)
        return self._bypassing.resolve(self._walking.asked(route))

    def describe(self, route: Route) -> Resolved:
        """As ``resolve``; a body whose format says so is not fetched for its headers."""
        if not self.format.expect(route).head_alone:
            return self.resolve(route)
        asked = self._walking.asked(route)
        entries = self._walking.entries(asked)
        try:
            cached = self._cached(asked, entries)
        except StoreUnavailable:
            # What is known of it needs no store.
            cached = self._known(asked, entries)
        if cached is not None:
            return cached
        described = None
        if self._key(asked) not in self._works.flights:
            described = self._describing.describe(asked)
        # What is on its way, or cannot be told by its headers, is had whole.
        return described or self.resolve(route)

    def explain(self, path: str) -> Explanation:
        """What ``resolve`` would do about a path at this moment, and why. Asks no upstream and
        changes nothing. Raises InvalidRequest and NotFound as ``Format.route`` does."""
        return self._explaining.explain(self.format.route(path))

    def purge(self, path: str) -> int:
        forgotten = self._index.drop(self.spec.key, path)
        paths = self._spellings(path)
        for source, known_as in zip(self._walking.sources, paths, strict=True):
            forgotten += self._index.drop(source, known_as)
            forgotten += self._works.negatives.forget(source, known_as)
            self._works.suspects.forget(source, known_as)
        for known_as in {path, *paths}:
            self._works.tell(Purged(self.spec.name, known_as))
        return forgotten

    def expire(self, route: Route) -> list[Entry]:
        """Have upstreams asked about a route next time, however long what is held would be good;
        it is kept, for when they cannot be asked. What was held."""
        route = evolve(route, checksum=None)
        asked = self._walking.asked(route)
        held = list(self._walking.entries(asked).values())
        if route.merged:
            held += self._index.find(route.path, [self.spec.key])
        for entry in held:
            self._index.touch(entry.source, entry.path, UNVOUCHED)
        for source, path in zip(self._walking.sources, asked.paths, strict=True):
            self._works.negatives.forget(source, path)
            self._works.suspects.forget(source, path)
        for path in {route.path, *asked.paths}:
            self._works.tell(Purged(self.spec.name, path))
        return held

    def forget(self, source: str, path: str) -> int:
        """Forget what is cached and remembered of one upstream, by its key, under a path as it
        knows it, and what was merged of that. The number of copies forgotten."""
        forgotten = self._index.drop(source, path)
        self._works.negatives.forget(source, path)
        self._works.suspects.forget(source, path)
        self._index.drop(self.spec.key, path)
        self._works.tell(Purged(self.spec.name, path))
        return forgotten

    def close(self) -> None:
        """Upstreams are shared between registries; whoever made them closes them."""

    def _spellings(self, path: str) -> tuple[str, ...]:
        """The path as each position knows it."""
        try:
            return self._walking.asked(self.format.route(path)).paths
        except (InvalidRequest, NotFound):
            # Nothing is cached under it; that it may be said all the same is the contract.
            return (path,) * len(self._walking.sources)

    def _key(self, asked: Asked) -> tuple[str, ...]:
        return (self.spec.key, *dict.fromkeys(asked.paths))

    def _found(self, asked: Asked, entries: Entries) -> Resolved:
        """Raises StoreUnavailable when what is kept cannot be read."""
        cached = self._cached(asked, entries)
        if cached is not None:
            return cached
        key = self._key(asked)
        fly = partial(self._works.fly, key, asked.route, partial(self._lead, asked=asked))
        return resolve_in_time(self._works, key, fly, self._spare(asked, entries))

    def _cached(self, asked: Asked, entries: Entries) -> Resolved | None:
        """Straight from the cache, when the walk's very first step is to serve a fresh copy."""
        position = self._fresh(asked, entries)
        if position is None:
            return None
        route = asked.known_as[position]
        entry = entries[self._walking.sources[position]]
        return self._works.open(route, entry, "hit", self._walking.fresh_until(route, entry))

    def _known(self, asked: Asked, entries: Entries) -> Resolved | None:
        """As ``_cached``, without a byte of the body."""
        position = self._fresh(asked, entries)
        if position is None:
            return None
        route = asked.known_as[position]
        entry = entries[self._walking.sources[position]]
        body = Undelivered(entry.size)
        return Resolved(route, entry.source, representation_of(entry), body, "hit", 0)

    def _fresh(self, asked: Asked, entries: Entries) -> int | None:
        denied = self._walking.denied(asked, entries)
        step = self._walking.walk(asked, entries, denied).next()
        return step.position if isinstance(step, Serve) and not step.stale else None

    def _spare(self, asked: Asked, entries: Entries) -> Spare | None:
        """The copy that is served if no upstream answers in time."""
        if not entries:
            return None
        position = self._walking.spare(asked, entries, self._walking.denied(asked, entries))
        if position is None:
            return None
        entry = entries[self._walking.sources[position]]

        def serve(reason: str) -> Resolved | None:
            landed = self._stale(asked, entry, reason)
            until, warning = landed.expires_at, landed.warning
            return self._works.open(asked.known_as[position], entry, "stale", until, warning)

        return Spare(entry, serve)

    def _lead(self, flight: Flight[Landed], *, asked: Asked) -> None:
        entries = self._walking.entries(asked)

        def serve(entry: Entry, heard: Heard | None, stale: bool) -> None:
            flight.answer(self._served(asked, entry, heard, stale))
            flight.land()

        self._walking.drive(
            asked,
            entries,
            partial(self._questions.ask, asked=asked, entries=entries),
            partial(self._taking.take, flight, asked),
            serve,
        )

    def _served(self, asked: Asked, entry: Entry, heard: Heard | None, stale: bool) -> Landed:
        position = self._walking.position(entry.source)
        route = asked.known_as[position]
        if not stale:
            origin = "hit" if heard is None else "revalidated"
            until = self._walking.fresh_until(route, entry)
            return Landed(origin, until, entry=entry, route=route)
        return self._stale(asked, entry, "" if heard is None else heard.answer.detail)

    def _stale(self, asked: Asked, entry: Entry, reason: str) -> Landed:
        position = self._walking.position(entry.source)
        route = asked.known_as[position]
        upstream = self._walking.upstreams[position].spec.name
        self._works.tell(ServedStale(self.spec.name, route.path, upstream, reason))
        return Landed(
            "stale",
            self._works.clock() + STALE_REPEATED,
            entry=entry,
            route=route,
            warning=f"stale: {upstream} could not be asked whether this is still current: {reason}",
        )

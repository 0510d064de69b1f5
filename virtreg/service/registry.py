"""The virtual registry: one route in, one answer out, from the cache or from the upstreams.

Drives :class:`virtreg.core.walk.Walk`: asks it what to do, does that one thing, and tells it what
happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import evolve

from virtreg.core.freshness import fresh_until, is_fresh
from virtreg.core.walk import (
    Absent,
    Ask,
    Broken,
    Cached,
    Outcome,
    Serve,
    Take,
    Wait,
    Walk,
)
from virtreg.errors import IntegrityError, NotFound, UpstreamError, VirtregError
from virtreg.events import (
    Event,
    Filled,
    FillFailed,
    Purged,
    Revalidated,
    ServedStale,
    UpstreamFailed,
)
from virtreg.model import Entry, RegistrySpec, Route
from virtreg.protocols import EntryIndex, Format
from virtreg.service.arrival import Arrival
from virtreg.service.asking import Asking, Heard, Question, answered, ask, close_reply
from virtreg.service.checksums import checksum_of
from virtreg.service.exchange import Exchange
from virtreg.service.failures import absent, broken
from virtreg.service.flights import Flight
from virtreg.service.health import GuardedUpstream
from virtreg.service.merging import Merging
from virtreg.service.owners import Owners
from virtreg.service.resolution import Resolved
from virtreg.service.works import STALE_REPEATED, SUSPECTED, Landed, Works


class PullThroughRegistry:
    """The protocol ``VirtualRegistry``. Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[GuardedUpstream],
        works: Works,
    ) -> None:
        self.spec = spec
        self.format = format
        self._upstreams = tuple(upstreams)
        self._works = works
        self._sources = tuple(upstream.spec.key for upstream in upstreams)
        self._by_source = {source: at for at, source in enumerate(self._sources)}
        self._owners = Owners()
        self._merging = Merging(spec, format, self._upstreams, works)

    @property
    def _index(self) -> EntryIndex:
        return self._works.index

    def resolve(self, route: Route) -> Resolved:
        if route.checksum is not None:
            return checksum_of(self.resolve(evolve(route, checksum=None)), route)
        if route.merged:
            return self._merging.resolve(route)
        return self._cached(route) or self._works.fly(
            (self.spec.key, route.path), route, lambda flight: self._lead(flight, route)
        )

    def purge(self, path: str) -> int:
        forgotten = sum(
            self._index.drop(source, path) + self._works.negatives.forget(source, path)
            for source in self._sources
        )
        for source in self._sources:
            self._works.suspects.forget(source, path)
        forgotten += self._index.drop(self.spec.key, path)
        self._works.tell(Purged(self.spec.name, path))
        return forgotten

    def close(self) -> None:
        """Upstreams are shared between registries; whoever made them closes them."""

    # The way to an answer

    def _cached(self, route: Route) -> Resolved | None:
        """Straight from the cache, when the walk's very first step is to serve a fresh copy."""
        entries = self._entries(route)
        walk = self._walk(route, entries)
        step = walk.next()
        if isinstance(step, Serve) and not step.stale:
            entry = entries[self._sources[step.position]]
            return self._works.open(route, entry, "hit", self._fresh_until(route, entry))
        return None

    def _lead(self, flight: Flight[Landed], route: Route) -> None:
        entries = self._entries(route)
        walk = self._walk(route, entries)
        answers: dict[int, Heard] = {}
        asking = Asking(close_reply)
        try:
            while True:
                match walk.next():
                    case Ask(positions):
                        asking.start([self._question(at, route, entries) for at in positions])
                    case Wait():
                        heard = asking.wait()
                        answers[heard.position] = heard
                        walk.heard(heard.position, self._weigh(heard, route, entries))
                    case Take(position):
                        failed = self._take(flight, route, answers.pop(position))
                        if failed is None:
                            return
                        answers[position] = failed
                        walk.heard(position, self._weigh(failed, route, entries))
                    case Serve(position, stale):
                        entry = entries[self._sources[position]]
                        flight.answer(self._serve(route, entry, answers.get(position), stale))
                        flight.land()
                        return
                    case Absent():
                        raise self._absent(route, answers)
                    case Broken(positions):
                        raise self._broken(route, answers, positions)
        finally:
            asking.close()
            for heard in answers.values():
                close_reply(heard)

    def _walk(self, route: Route, entries: dict[str, Entry]) -> Walk:
        now = self._works.clock()
        return Walk(
            [self._state(route, source, entries.get(source), now) for source in self._sources],
            passable=[upstream.spec.on_error == "continue" for upstream in self._upstreams],
            strict=self.spec.order == "strict",
            fixed=route.digest is not None,
            likely=self._owners.likely(route.path),
        )

    def _state(self, route: Route, source: str, entry: Entry | None, now: float) -> Cached:
        if entry is None:
            known = self._works.negatives.until(source, route.path, now)
            return Cached.ABSENT if known else Cached.NOTHING
        spec = self._upstreams[self._by_source[source]].spec
        return Cached.FRESH if is_fresh(entry, route.freshness, spec, now) else Cached.STALE

    def _entries(self, route: Route) -> dict[str, Entry]:
        return {entry.source: entry for entry in self._index.find(route.path, self._sources)}

    def _fresh_until(self, route: Route, entry: Entry) -> float:
        spec = self._upstreams[self._by_source[entry.source]].spec
        return fresh_until(entry, route.freshness, spec)

    # Asking and hearing

    def _question(self, position: int, route: Route, entries: dict[str, Entry]) -> Question[Heard]:
        upstream = self._upstreams[position]
        entry = entries.get(self._sources[position])
        now = self._works.clock()
        if entry is not None and self._works.suspects.until(entry.source, route.path, now):
            return upstream.threads, lambda: _suspected(position, upstream.spec.name)
        known = None if entry is None else entry.validators
        expectation = self.format.expect(route)
        return upstream.threads, lambda: ask(upstream, position, route, expectation, known)

    def _weigh(self, heard: Heard, route: Route, entries: dict[str, Entry]) -> Outcome:
        """What an answer means for the walk, with what follows from it for the cache."""
        source = self._sources[heard.position]
        spec = self._upstreams[heard.position].spec
        entry = entries.get(source)
        if heard.error is not None:
            self._works.tell(UpstreamFailed(self.spec.name, route.path, heard.answer))
            return Outcome.BROKEN
        if heard.unchanged or (
            heard.answer.outcome == "absent" and entry is not None and spec.on_missing == "keep"
        ):
            if entry is None:
                return Outcome.ABSENT
            entries[source] = self._works.vouched_for(entry, self._works.clock())
            self._works.tell(Revalidated(self.spec.name, route.path, spec.name, changed=False))
            return Outcome.UNCHANGED
        if heard.answer.outcome == "absent":
            if entry is not None:
                self._index.drop(source, route.path)
                del entries[source]
            if spec.negative_validity_seconds > 0:
                self._works.negatives.remember(
                    source, route.path, self._works.clock(), spec.negative_validity_seconds
                )
            return Outcome.ABSENT
        return Outcome.FOUND

    def _take(self, flight: Flight[Landed], route: Route, heard: Heard) -> Heard | None:
        """Receive a found body and let the waiters go. Returns what went wrong when it is none
        that anybody may have."""
        upstream = self._upstreams[heard.position]
        assert heard.reply is not None
        exchange = Exchange(upstream, route, self.format, self.format.expect(route))
        keep = self._keeper(flight, route, upstream.spec.name)
        try:
            arrival = self._works.intake.receive(exchange, heard.reply, keep)
        except UpstreamError as error:
            return Heard(heard.position, answered(upstream.spec.name, error), error=error)
        self._owners.found(route.path, heard.position)
        flight.answer(Landed("miss", 0, arrival=arrival))
        return None

    def _keeper(
        self, flight: Flight[Landed], route: Route, upstream: str
    ) -> Callable[[Arrival], None]:
        """What to do with an arrival once it is proved, or has failed."""
        started = self._works.clock()

        def done(entry: Entry, error: VirtregError | None) -> None:
            flight.land()
            event: Event
            if error is None:
                seconds = self._works.clock() - started
                event = Filled(self.spec.name, route.path, upstream, entry.size, seconds)
            else:
                event = FillFailed(self.spec.name, route.path, upstream, error.message)
            self._works.tell(event)

        def keep(arrival: Arrival) -> None:
            failure = arrival.entry.exception()
            if failure is not None:
                now = self._works.clock()
                self._works.suspects.remember(arrival.source, route.path, now, SUSPECTED)
                flight.land()
                self._works.tell(FillFailed(self.spec.name, route.path, upstream, str(failure)))
                return
            entry = arrival.entry.result()
            self._works.negatives.forget(entry.source, route.path)
            self._works.suspects.forget(entry.source, route.path)
            if arrival.data is not None:
                self._works.publisher.later(entry, arrival.data, lambda error: done(entry, error))
                return
            assert arrival.spool is not None
            try:
                self._works.publisher.now(entry, arrival.spool.path)
            except VirtregError as error:
                done(entry, error)
            else:
                done(entry, None)

        return keep

    # Answers

    def _serve(self, route: Route, entry: Entry, heard: Heard | None, stale: bool) -> Landed:
        if not stale:
            origin = "hit" if heard is None else "revalidated"
            return Landed(origin, self._fresh_until(route, entry), entry=entry)
        upstream = self._upstreams[self._by_source[entry.source]].spec.name
        reason = "" if heard is None else heard.answer.detail
        self._works.tell(ServedStale(self.spec.name, route.path, upstream, reason))
        return Landed("stale", self._works.clock() + STALE_REPEATED, entry=entry)

    def _absent(self, route: Route, answers: dict[int, Heard]) -> NotFound:
        now = self._works.clock()
        until = min(
            (self._works.negatives.until(source, route.path, now) for source in self._sources),
            default=0.0,
        )
        return absent(self.spec, route, {at: heard.answer for at, heard in answers.items()}, until)

    def _broken(
        self, route: Route, answers: dict[int, Heard], positions: Sequence[int]
    ) -> VirtregError:
        cause = answers[positions[-1]].error
        assert cause is not None
        return broken(route, cause, [answers[at].answer for at in sorted(answers)])


def _suspected(position: int, upstream: str) -> Heard:
    """An answer without asking: whoever waits gets the copy, not another download cut short."""
    error = IntegrityError(
        f"{upstream} did not deliver the file whole a moment ago", upstream=upstream
    )
    return Heard(position, answered(upstream, error), error=error)

"""Taking what an upstream has: its body, the body a name stands for, or the word that the body held
already is its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from attrs import evolve

from virtreg.correlation import carried
from virtreg.errors import (
    IndexUnavailable,
    NotFound,
    StorageError,
    StoreUnavailable,
    UpstreamError,
    VirtregError,
)
from virtreg.events import Filled, FillFailed
from virtreg.model import Algorithm, Entry, Route
from virtreg.protocols import Format, Pins
from virtreg.service.arrival import Arrival, representation_of
from virtreg.service.asking import Heard, answered, ask
from virtreg.service.exchange import Exchange
from virtreg.service.flights import Flight
from virtreg.service.local import LocalUpstream
from virtreg.service.localizing import Asked
from virtreg.service.resolution import Resolved
from virtreg.service.walking import Walking
from virtreg.service.works import SUSPECTED, Landed, Lent, Works

_log = logging.getLogger(__name__)


class Taking:
    """Of one registry. Thread-safe."""

    def __init__(
        self,
        format: Format,  # noqa: A002 - the protocol's word
        walking: Walking,
        works: Works,
        resolve: Callable[[Route], Resolved],
    ) -> None:
        self._format = format
        self._pins = format if isinstance(format, Pins) else None
        self._walking = walking
        self._works = works
        self._resolve = resolve

    def take(self, flight: Flight[Landed], asked: Asked, heard: Heard) -> Heard | None:
        """Take what was found and let the waiters go. Returns what is to be heard in its place
        when it is nothing that anybody may have."""
        if heard.pin is not None:
            return self._pinned(flight, asked, heard.position, heard.pin)
        if heard.held is not None:
            return self._held(flight, asked, heard.position, heard.held)
        if heard.lent is not None:
            return self._lent(flight, asked, heard.position, heard.lent)
        return self._received(flight, asked, heard)

    def _received(self, flight: Flight[Landed], asked: Asked, heard: Heard) -> Heard | None:
        upstream = self._walking.upstreams[heard.position]
        route = asked.known_as[heard.position]
        assert heard.reply is not None
        exchange = Exchange(upstream, route, self._format, self._format.expect(route))
        keep = self._keeper(flight, route, upstream.spec.name)
        try:
            arrival = self._works.intake.receive(exchange, heard.reply, keep)
        except UpstreamError as error:
            return Heard(heard.position, answered(upstream.spec.name, error), error=error)
        self._walking.found(asked, heard.position)
        flight.answer(Landed("miss", 0, arrival=arrival, route=route))
        if arrival.passes:
            flight.land()
            reason = "the disk has no room for it"
            self._works.tell(FillFailed(self._walking.spec.name, route.path, exchange.name, reason))
        return None

    def _pinned(
        self, flight: Flight[Landed], asked: Asked, position: int, pin: Route
    ) -> Heard | None:
        """The body goes under its own path first; then one row lets the name stand for it, so
        that nobody ever sees the new digest with the old body."""
        upstream = self._walking.upstreams[position]
        route = asked.known_as[position]
        # Before the body is asked for: it comes from where its name was found, and the name stood
        # for it at this moment, however long its bytes take.
        self._walking.found(asked, position)
        now = self._works.clock()
        try:
            resolved = self._resolve(pin)
            with resolved.body:
                data = b"".join(resolved.body.read())
            digests = resolved.proved()
        except IndexUnavailable:
            raise
        except (NotFound, StorageError) as error:
            # It has moved on in this moment, or does not serve by digest: what is it now? Or it is
            # held and cannot be read.
            if isinstance(error, StorageError) and not self._works.streams:
                raise
            return ask(upstream, position, route, self._format.expect(route), None)
        except UpstreamError as error:
            if error.upstream != upstream.spec.name:
                # This one does not serve it by digest, and another cannot be asked.
                return ask(upstream, position, route, self._format.expect(route), None)
            return Heard(position, answered(upstream.spec.name, error), error=error)
        if resolved.source != upstream.spec.key:
            # Another upstream's bytes: a digest alone earns nobody what it never sent, since
            # what is kept for it is served wherever it is an upstream.
            return ask(upstream, position, route, self._format.expect(route), None)
        entry = Entry(
            source=upstream.spec.key,
            path=route.path,
            sha256=digests[Algorithm.SHA256],
            size=len(data),
            sha1=digests.get(Algorithm.SHA1, ""),
            md5=digests.get(Algorithm.MD5, ""),
            sha512=digests.get(Algorithm.SHA512, ""),
            content_type=resolved.representation.content_type,
            etag=None,
            last_modified=resolved.representation.last_modified,
            created_at=now,
            checked_at=now,
        )
        arrival = Arrival(entry.source, representation_of(entry), data=data)
        arrival.entry.set_result(entry)
        self._keeper(flight, route, upstream.spec.name)(arrival)
        flight.answer(Landed("miss", 0, arrival=arrival, route=route))
        return None

    def _held(
        self, flight: Flight[Landed], asked: Asked, position: int, held: Entry
    ) -> Heard | None:
        upstream = self._walking.upstreams[position]
        route = asked.known_as[position]
        try:
            body = self._works.body(held)
        except StoreUnavailable:
            if not self._works.streams:
                raise
            body = None
        if body is None:
            return ask(upstream, position, route, self._format.expect(route), None)
        body.close()
        self._walking.found(asked, position)
        now = self._works.clock()
        entry = evolve(held, path=route.path, created_at=now, checked_at=now)
        try:
            self._works.index.put([entry])
        except StorageError as failure:
            # As good an answer on a full disk, and asked for again.
            _log.warning("%s could not be remembered: %s", entry.path, failure.message)
        self._works.negatives.forget(entry.source, entry.path)
        until = self._walking.fresh_until(route, entry)
        flight.answer(Landed("revalidated", until, entry=entry, route=route))
        flight.land()
        return None

    def _lent(
        self, flight: Flight[Landed], asked: Asked, position: int, lent: Resolved
    ) -> Heard | None:
        """Nothing is kept; everybody else who waits is lent it anew."""
        upstream = self._walking.upstreams[position]
        assert isinstance(upstream, LocalUpstream)
        self._walking.found(asked, position)
        again = partial(upstream.resolve, asked.known_as[position])
        flight.answer(Landed(lent.origin, 0, lent=Lent(lent, again)))
        flight.land()
        return None

    def _keeper(
        self, flight: Flight[Landed], route: Route, upstream: str
    ) -> Callable[[Arrival], None]:
        """What to do with an arrival once it is proved, or has failed."""
        registry = self._walking.spec.name
        started = self._works.clock()

        def done(kept: Sequence[Entry], whole_at: float, error: VirtregError | None) -> None:
            flight.land()
            if error is not None:
                self._works.tell(FillFailed(registry, route.path, upstream, error.message))
                return
            now = self._works.clock()
            took, publishing = now - started, now - whole_at
            for entry in kept:
                self._works.tell(
                    Filled(registry, entry.path, upstream, entry.size, took, publishing)
                )

        def keep(arrival: Arrival) -> None:
            failure = arrival.entry.exception()
            if failure is not None:
                if isinstance(failure, UpstreamError):
                    now = self._works.clock()
                    self._works.suspects.remember(arrival.source, route.path, now, SUSPECTED)
                flight.land()
                self._works.tell(FillFailed(registry, route.path, upstream, str(failure)))
                return
            entry = arrival.entry.result()
            also = self._by_digest(route, entry)
            kept = (entry, *also)
            for each in kept:
                self._works.negatives.forget(each.source, each.path)
                self._works.suspects.forget(each.source, each.path)
            publisher, whole_at = self._works.publisher, self._works.clock()
            if arrival.data is not None:
                # The publisher's thread works for everybody.
                told = carried(partial(done, kept, whole_at))
                publisher.later(entry, arrival.data, told, also)
                return
            assert arrival.spool is not None
            try:
                publisher.now(entry, arrival.spool.path, also)
            except VirtregError as error:
                done(kept, whole_at, error)
            else:
                done(kept, whole_at, None)

        return keep

    def _by_digest(self, route: Route, entry: Entry) -> Sequence[Entry]:
        """What a name stood for may be asked for by its digest next."""
        pinned = None if self._pins is None else self._pins.pinned(route, entry.digests)
        return () if pinned is None else (evolve(entry, path=pinned.path),)

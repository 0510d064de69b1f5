"""Answering out of upstreams what is kept, for as long as the store cannot be read.

It is as if nothing were kept, but for what is known of it: an answer that would have been a copy's,
without a question, is held to the digest of that copy. What comes is kept only if the store can be
used by then.
"""

from __future__ import annotations

from functools import partial
from typing import NoReturn

from attrs import evolve

from virtreg.errors import StoreUnavailable
from virtreg.model import Algorithm, Entry, Freshness, Route
from virtreg.protocols import Format
from virtreg.service.asking import Heard, Question, ask
from virtreg.service.flights import Flight
from virtreg.service.local import LocalUpstream
from virtreg.service.localizing import Asked
from virtreg.service.resolution import Resolved
from virtreg.service.taking import Taking
from virtreg.service.turns import wait_turn
from virtreg.service.walking import Entries, Walking
from virtreg.service.works import Landed, Works

_FIXED = (Freshness.IMMUTABLE, Freshness.ARTIFACT)
"""What does not change, as far as it can be told for as long as it is not asked."""

_TRIES = 3


class Bypassing:
    """Of one registry. Thread-safe."""

    def __init__(
        self,
        format: Format,  # noqa: A002 - the protocol's word
        walking: Walking,
        taking: Taking,
        works: Works,
    ) -> None:
        self._format = format
        self._walking = walking
        self._taking = taking
        self._works = works

    def resolve(self, asked: Asked) -> Resolved:
        """Raises StoreUnavailable where that is to be told, and as the registry does."""
        if not self._works.streams:
            raise StoreUnavailable(f"what is kept of {asked.route.path} cannot be read")
        wait_turn()
        held = self._held_to(asked, self._walking.entries(asked))
        key = (self._walking.spec.key, *dict.fromkeys(asked.paths), "anew")
        tries = 1
        while True:
            try:
                return self._works.fly(key, asked.route, partial(self._lead, held))
            except StoreUnavailable:
                # It had arrived whole before it could be followed, and was not kept.
                if tries == _TRIES:
                    raise
                tries += 1

    def _lead(self, asked: Asked, flight: Flight[Landed]) -> None:
        question = partial(self._question, asked)
        self._walking.drive(asked, {}, question, partial(self._taking.take, flight, asked), _serve)

    def _question(self, asked: Asked, position: int) -> Question[Heard]:
        upstream = self._walking.upstreams[position]
        route = asked.known_as[position]
        if isinstance(upstream, LocalUpstream):
            return upstream.threads, partial(upstream.ask, position, route)
        expectation = self._format.expect(route)
        return upstream.threads, lambda: ask(upstream, position, route, expectation, None)

    def _held_to(self, asked: Asked, entries: Entries) -> Asked:
        now = self._works.clock()
        return evolve(
            asked,
            known_as=tuple(
                self._fixed(route, entries.get(source), now)
                for route, source in zip(asked.known_as, self._walking.sources, strict=True)
            ),
        )

    def _fixed(self, route: Route, entry: Entry | None, now: float) -> Route:
        if entry is None or route.digest is not None or route.moving:
            return route
        if route.freshness not in _FIXED or not self._walking.is_fresh(route, entry, now):
            return route
        return evolve(route, digest=(Algorithm.SHA256, entry.sha256))


def _serve(_entry: Entry, _heard: Heard | None, _stale: bool) -> NoReturn:
    raise AssertionError("nothing is served that is kept")

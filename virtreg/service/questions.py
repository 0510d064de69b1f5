"""Which question an upstream is asked about a route: for its body, or by HEAD whether what is held
already is the body."""

from __future__ import annotations

from functools import partial

from virtreg.model import Algorithm, Answered, Entry, Route, Validators
from virtreg.protocols import Format, KnowsDigests, Pins, Reply
from virtreg.service.asking import Heard, Question, ask, ask_by_head
from virtreg.service.health import GuardedUpstream
from virtreg.service.local import LocalUpstream
from virtreg.service.localizing import Asked
from virtreg.service.walking import Entries, Walking
from virtreg.service.works import Works


class Questions:
    """Of one registry. Thread-safe."""

    def __init__(
        self,
        format: Format,  # noqa: A002 - the protocol's word
        walking: Walking,
        works: Works,
    ) -> None:
        self._format = format
        self._pins = format if isinstance(format, Pins) else None
        self._digests = works.index if isinstance(works.index, KnowsDigests) else None
        self._walking = walking

    def ask(self, position: int, *, asked: Asked, entries: Entries) -> Question[Heard]:
        upstream = self._walking.upstreams[position]
        route = asked.known_as[position]
        if isinstance(upstream, LocalUpstream):
            return upstream.threads, partial(upstream.ask, position, route)
        entry = entries.get(self._walking.sources[position])
        if route.moving and self._pins is not None:
            pins = self._pins
            return upstream.threads, lambda: self._where(upstream, position, route, entry, pins)
        return upstream.threads, lambda: self._body(upstream, position, route, entry)

    def _where(
        self,
        upstream: GuardedUpstream,
        position: int,
        route: Route,
        entry: Entry | None,
        pins: Pins,
    ) -> Heard:
        """Which body a name stands for."""
        answer = Answered(upstream.spec.name, "found", "200 to HEAD")

        def read(reply: Reply) -> Heard | None:
            claims = self._format.examine(route, reply.headers, b"").claims
            pin = pins.pinned(route, claims)
            return None if pin is None else Heard(position, answer, pin=pin)

        # Not by its date: a name that goes back to an older body is dated before the copy.
        known = None if entry is None or entry.etag is None else Validators(entry.etag)
        return ask_by_head(upstream, position, route, self._format.expect(route), known, read)

    def _body(
        self, upstream: GuardedUpstream, position: int, route: Route, entry: Entry | None
    ) -> Heard:
        expectation = self._format.expect(route)
        known = None if entry is None else entry.validators
        held = self._held(upstream, route)
        if held is None:
            return ask(upstream, position, route, expectation, known)
        answer = Answered(upstream.spec.name, "found", "200 to HEAD")

        def read(reply: Reply) -> Heard | None:
            vouches = self._vouches(route, reply, held)
            return Heard(position, answer, held=held) if vouches else None

        return ask_by_head(upstream, position, route, expectation, known, read)

    def _vouches(self, route: Route, reply: Reply, held: Entry) -> bool:
        """Whether an answer to HEAD is about the body that is held, by the digest or the length it
        tells. One that tells neither may be a page to sign in at."""
        examined = self._format.examine(route, reply.headers, b"")
        known = held.digests
        told = [
            known[algorithm] == digest
            for algorithm, digest in examined.claims.items()
            if algorithm in known
        ]
        if reply.length is not None:
            told.append(reply.length == held.size)
        return examined.refusal is None and bool(told) and all(told)

    def _held(self, upstream: GuardedUpstream, route: Route) -> Entry | None:
        """The very body, if it came from this same upstream under another path. That it is there
        under this one too is for the upstream to say: who may read the one need not be allowed
        the other. Nor is another upstream's word enough for bytes it never sent."""
        if self._digests is None or route.digest is None:
            return None
        algorithm, digest = route.digest
        if algorithm is not Algorithm.SHA256:
            return None
        return self._digests.holding(upstream.spec.key, digest)

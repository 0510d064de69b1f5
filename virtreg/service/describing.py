"""The facts of a body that nobody asked for, from the headers of its upstream."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from virtreg.model import Answered, Entry, Representation, Route
from virtreg.protocols import Body, Format, Reply
from virtreg.service.asking import Heard, Question, ask_by_head, close_reply
from virtreg.service.local import LocalUpstream
from virtreg.service.localizing import Asked
from virtreg.service.resolution import Resolved
from virtreg.service.turns import wait_turn
from virtreg.service.walking import Walking


class Undelivered(Body):
    """A body that was not fetched: its size, and no byte of it."""

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        return iter(())

    def close(self) -> None:
        """Nothing is held."""


class Describing:
    """Of one registry. Thread-safe."""

    def __init__(
        self,
        format: Format,  # noqa: A002 - the protocol's word
        walking: Walking,
    ) -> None:
        self._format = format
        self._walking = walking

    def describe(self, asked: Asked) -> Resolved | None:
        """The answer that HEAD gets of what is not cached; None when headers do not tell its
        size, or a copy turned up. Raises as resolving does."""
        wait_turn()
        described: list[Resolved] = []

        def question(position: int) -> Question[Heard]:
            upstream = self._walking.upstreams[position]
            route = asked.known_as[position]
            if isinstance(upstream, LocalUpstream):
                return upstream.threads, partial(upstream.ask_facts, position, route)
            expectation = self._format.expect(route)
            answer = Answered(upstream.spec.name, "found", "200 to HEAD")

            def read(reply: Reply) -> Heard | None:
                facts = self._facts(route, reply)
                return None if facts is None else Heard(position, answer, facts=facts)

            return upstream.threads, lambda: ask_by_head(
                upstream, position, route, expectation, None, read
            )

        def take(heard: Heard) -> Heard | None:
            route = asked.known_as[heard.position]
            facts = heard.facts
            if heard.reply is not None:
                facts = self._facts(route, heard.reply)
            close_reply(heard)
            self._walking.found(asked, heard.position)
            if facts is not None and facts.size is not None:
                source = self._walking.sources[heard.position]
                described.append(Resolved(route, source, facts, Undelivered(facts.size), "miss", 0))
            return None

        def serve(_entry: Entry, _heard: Heard | None, _stale: bool) -> None:
            """It is cached by now: for whoever resolves it."""

        self._walking.drive(asked, self._walking.entries(asked), question, take, serve)
        return described[0] if described else None

    def _facts(self, route: Route, reply: Reply) -> Representation | None:
        """None where the headers do not tell the size, or are not those of such a body."""
        size, headers = reply.length, reply.headers
        if size is None or self._format.examine(route, headers, b"").refusal is not None:
            return None
        digests = {} if route.digest is None else dict([route.digest])
        media_type, modified = headers.get("content-type"), headers.get("last-modified")
        return Representation(size, digests, media_type, modified)

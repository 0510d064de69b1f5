"""The parts of a merged document: what each upstream itself says at its path."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attrs import evolve, frozen

from virtreg.core.freshness import is_fresh
from virtreg.errors import (
    IntegrityError,
    NotFound,
    StorageError,
    UpstreamError,
    UpstreamUnavailable,
)
from virtreg.events import UpstreamFailed
from virtreg.model import Answered, Entry, Route
from virtreg.protocols import Format, Gathers
from virtreg.service.asking import Asking, Heard, answered, ask
from virtreg.service.barring import Barring
from virtreg.service.exchange import Exchange
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import SETTLED
from virtreg.service.local import LocalUpstream, passing_entry
from virtreg.service.localizing import Asked, Localizer
from virtreg.service.pages import read_pages
from virtreg.service.walking import DENIED
from virtreg.service.works import Works


@frozen
class Member:
    """One upstream's part: its document if it has one, and what it said."""

    position: int
    answer: Answered
    document: bytes | None = None
    """Without what its upstream may not answer for."""
    entry: Entry | None = None
    """Of a local upstream, what would be kept of its document if it were."""
    error: UpstreamError | None = None
    """Why the upstream itself gave nothing; ``document`` may then be its last good copy."""
    warning: str = ""
    """What a local upstream says is wrong with its document; empty for nothing."""


class Members:
    """Gathers the parts of one registry's merged documents. Thread-safe.

    A part is cached under the path by which its upstream knows the document, wherever the
    upstream keeps it and in however many pages it came.
    """

    def __init__(
        self,
        registry: str,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[GuardedUpstream],
        works: Works,
        barring: Barring | None = None,
    ) -> None:
        self._registry = registry
        self._format = format
        self._localizer = Localizer(format, [upstream.spec for upstream in upstreams])
        self._gathers = format if isinstance(format, Gathers) else None
        self._upstreams = upstreams
        self._works = works
        self._barring = barring

    def entries(self, route: Route) -> dict[str, Entry]:
        """What is cached of the parts, by source."""
        return self._localizer.entries(self._works.index, self._localizer.asked(route))

    def gather(self, route: Route, entries: dict[str, Entry]) -> list[Member]:
        """Every upstream's part, in order, asked in parallel where the cache cannot tell. Those
        that may not answer are not asked."""
        asking: Asking[Member] = Asking(_dropped)
        asked = self._localizer.asked(route)
        denied = self._denied(asked, entries)
        known = [
            self._known(at, asked, entries)
            for at in range(len(self._upstreams))
            if at not in denied
        ]
        members = {member.position: member for member in known if member is not None} | denied
        questions = [
            (upstream.threads, partial(self._ask, at, asked, entries.get(upstream.spec.key)))
            for at, upstream in enumerate(self._upstreams)
            if at not in members
        ]
        try:
            asking.start(questions)
            for _ in questions:
                member = asking.wait()
                members[member.position] = member
        finally:
            asking.close()
        return [self._sifted(members[at], asked) for at in sorted(members)]

    def _denied(self, asked: Asked, entries: dict[str, Entry]) -> dict[int, Member]:
        if self._barring is None:
            return {}
        denied = self._barring.denied(asked, entries)
        return {at: Member(at, self._barring.answer(at, reason)) for at, reason in denied.items()}

    def _sifted(self, member: Member, asked: Asked) -> Member:
        if self._barring is None or member.document is None:
            return member
        at = member.position
        document = self._barring.sift(at, asked.known_as[at], member.document)
        if document is not None:
            return evolve(member, document=document)
        answer = self._barring.answer(at, "denied by rules: all that the document names")
        return evolve(member, document=None, answer=answer)

    def absent_until(self, route: Route, members: Sequence[Member]) -> float:
        """Until when all those are believed that have no document; 0 when one is not."""
        now = self._works.clock()
        paths = self._localizer.asked(route).paths
        return min(
            (
                self._works.negatives.until(self._upstreams[at].spec.key, paths[at], now)
                for at in (
                    member.position
                    for member in members
                    if member.document is None and member.answer.outcome != "denied"
                )
            ),
            default=0.0,
        )

    def _known(self, at: int, asked: Asked, entries: dict[str, Entry]) -> Member | None:
        """What the cache can tell of a member without asking."""
        spec, now = self._upstreams[at].spec, self._works.clock()
        entry = entries.get(spec.key)
        if entry is None:
            if self._works.negatives.until(spec.key, asked.paths[at], now):
                return Member(at, Answered(spec.name, "absent", "remembered 404"))
            return None
        if not is_fresh(entry, asked.route.freshness, spec, now):
            return None
        document = self._works.held(entry)
        if document is None:
            del entries[spec.key]
            return None
        return Member(at, Answered(spec.name, "found", "cached"), document, entry)

    def _ask(self, at: int, asked: Asked, entry: Entry | None) -> Member:
        upstream = self._upstreams[at]
        if isinstance(upstream, LocalUpstream):
            return self._lent(at, asked, upstream)
        exchange = self._exchange(at, asked.known_as[at])
        elsewhere = self._elsewhere(at, asked.route)
        # Validators hold for one of the two places only, and which gave the copy is not kept.
        known = entry.validators if entry is not None and elsewhere is None else None
        heard = ask(upstream, at, exchange.route, exchange.expectation, known)
        if elsewhere is not None and _does_not_know(heard):
            denied = heard.denied
            exchange = self._exchange(at, elsewhere)
            heard = ask(upstream, at, exchange.route, exchange.expectation, None)
            heard = evolve(heard, denied=heard.denied or denied)
        if heard.reply is not None:
            try:
                return self._received(at, asked, heard, exchange)
            except UpstreamError as error:
                heard = Heard(at, answered(upstream.spec.name, error), error=error)
        if heard.error is not None:
            self._works.tell(UpstreamFailed(self._registry, asked.route.path, heard.answer))
            document = None if entry is None else self._works.held(entry)
            return Member(at, heard.answer, document, entry, heard.error)
        return self._settled_without_body(at, asked, heard, entry)

    def _exchange(self, at: int, local: Route) -> Exchange:
        expected = self._format.expect(local)
        expectation = evolve(expected, sidecars=(), max_bytes=expected.max_bytes or SETTLED)
        return Exchange(self._upstreams[at], local, self._format, expectation)

    def _elsewhere(self, at: int, route: Route) -> Route | None:
        """The other place where the upstream at this position may keep the document."""
        elsewhere = None if self._gathers is None else self._gathers.elsewhere(route)
        return None if elsewhere is None else self._localizer.asked(elsewhere).known_as[at]

    def _received(self, at: int, asked: Asked, heard: Heard, exchange: Exchange) -> Member:
        """Raises UpstreamError when the document is unusable."""
        assert heard.reply is not None
        document, entry = read_pages(self._works.intake, exchange, heard.reply)
        try:
            self._format.merge(asked.route, [(exchange.name, document)])
        except IntegrityError as error:
            error.upstream = exchange.name
            raise
        except NotFound:
            # Usable, though it makes a truthful merge impossible: for the merge to say.
            pass
        if entry.path != asked.paths[at]:
            entry = evolve(entry, path=asked.paths[at], etag=None, last_modified=None)
        self._works.publisher.later(entry, document, _published)
        self._works.negatives.forget(entry.source, entry.path)
        return Member(at, heard.answer, document, entry)

    def _lent(self, at: int, asked: Asked, upstream: LocalUpstream) -> Member:
        """The part of a local upstream, which is not kept."""
        route, name = asked.known_as[at], upstream.spec.name
        heard = upstream.ask(at, route)
        if heard.lent is None:
            if heard.error is not None:
                self._works.tell(UpstreamFailed(self._registry, asked.route.path, heard.answer))
            return Member(at, heard.answer, error=heard.error)
        most = self._format.expect(route).max_bytes or SETTLED
        try:
            with heard.lent.body as body:
                document = b"".join(body.read(0, most + 1))
            if len(document) > most:
                raise IntegrityError(f"{name} sends more than the {most} bytes that are taken")
            self._format.merge(asked.route, [(name, document)])
        except IntegrityError as error:
            error.upstream = name
            answer = answered(name, error)
            self._works.tell(UpstreamFailed(self._registry, asked.route.path, answer))
            return Member(at, answer, error=error)
        except StorageError as error:
            failure = UpstreamUnavailable(f"{name}: {error.message}", upstream=name)
            return Member(at, answered(name, failure), error=failure)
        except NotFound:
            # As in `_received`.
            pass
        entry = passing_entry(upstream.spec.key, route.path, document, self._works.clock())
        return Member(at, heard.answer, document, entry, warning=heard.lent.warning)

    def _settled_without_body(
        self, at: int, asked: Asked, heard: Heard, entry: Entry | None
    ) -> Member:
        spec, now = self._upstreams[at].spec, self._works.clock()
        path = asked.paths[at]
        kept = heard.answer.outcome == "absent" and spec.on_missing == "keep"
        if entry is not None and (heard.unchanged or kept):
            document = self._works.held(entry)
            if document is not None:
                vouched = self._works.vouched_for(entry, now)
                return Member(at, heard.answer, document, vouched)
        elif entry is not None:
            self._works.index.drop(spec.key, path)
        if heard.unchanged:
            # Our copy vanished between the question and the answer: ask for the body itself.
            return self._ask(at, asked, None)
        seconds = spec.negative_validity_seconds
        if heard.denied:
            seconds = min(seconds, DENIED)
        if seconds > 0:
            self._works.negatives.remember(spec.key, path, now, seconds)
        return Member(at, heard.answer)


def _does_not_know(heard: Heard) -> bool:
    """Whether the upstream has no such path, or not even such a kind of path: another 4xx."""
    return heard.answer.outcome == "absent" or type(heard.error) is UpstreamError


def _published(_error: Exception | None) -> None:
    """A member's document that could not be kept is asked for again next time."""


def _dropped(_member: Member) -> None:
    """Nothing is held open by a member."""

"""Documents built from every upstream's own, such as Maven's version lists.

Each member's document is a cache entry of its upstream; the merge is one of the registry. A
member that cannot answer takes part with its last good copy; without one the last good merge is
served, or the error told: a list that silently lost a member's versions is a lie.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from email.utils import formatdate
from functools import partial

from attrs import evolve, frozen

from virtreg.core.freshness import is_fresh, merged_fresh_until, merged_is_fresh
from virtreg.core.layout import blob_key
from virtreg.errors import IntegrityError, Missing, NotFound, UpstreamError
from virtreg.events import Merged, ServedStale, UpstreamFailed
from virtreg.model import Algorithm, Answered, Entry, RegistrySpec, Route
from virtreg.protocols import Format
from virtreg.service.arrival import Arrival, representation_of
from virtreg.service.asking import Asking, Heard, answered, ask
from virtreg.service.digesting import digest
from virtreg.service.exchange import Exchange
from virtreg.service.failures import absent, broken
from virtreg.service.flights import Flight
from virtreg.service.health import GuardedUpstream
from virtreg.service.resolution import Resolved
from virtreg.service.works import STALE_REPEATED, Landed, Works


@frozen
class _Member:
    """One upstream's part: its document if it has one, and what it said."""

    position: int
    answer: Answered
    document: bytes | None = None
    entry: Entry | None = None
    error: UpstreamError | None = None
    """Why the upstream itself gave nothing; ``document`` may then be its last good copy."""


class Merging:
    """The merged documents of one registry. Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[GuardedUpstream],
        works: Works,
    ) -> None:
        self._spec = spec
        self._format = format
        self._upstreams = upstreams
        self._works = works
        self._sources = tuple(upstream.spec.key for upstream in upstreams)

    def resolve(self, route: Route) -> Resolved:
        merged = self._entries(route).get(self._spec.key)
        if merged is not None and self._is_fresh(merged):
            opened = self._works.open(route, merged, "hit", self._fresh_until(merged))
            if opened is not None:
                return opened
        return self._works.fly(
            (self._spec.key, route.path), route, lambda flight: self._lead(flight, route)
        )

    def _entries(self, route: Route) -> dict[str, Entry]:
        found = self._works.index.find(route.path, (*self._sources, self._spec.key))
        return {entry.source: entry for entry in found}

    def _is_fresh(self, merged: Entry) -> bool:
        return merged_is_fresh(merged, self._spec.upstreams, self._works.clock())

    def _fresh_until(self, merged: Entry) -> float:
        return merged_fresh_until(merged, self._spec.upstreams)

    def _lead(self, flight: Flight[Landed], route: Route) -> None:
        entries = self._entries(route)
        merged = entries.get(self._spec.key)
        if merged is not None and self._is_fresh(merged):
            flight.answer(Landed("hit", self._fresh_until(merged), entry=merged))
            flight.land()
            return
        members = self._gather(route, entries)
        try:
            data, left_out = self._merge(route, members)
        except UpstreamError as error:
            if merged is None:
                raise
            self._works.tell(
                ServedStale(self._spec.name, route.path, error.upstream, error.message)
            )
            flight.answer(Landed("stale", self._works.clock() + STALE_REPEATED, entry=merged))
            flight.land()
            return
        self._works.tell(
            Merged(
                self._spec.name,
                route.path,
                sum(member.document is not None for member in members),
                tuple(left_out),
            )
        )
        self._answer(flight, self._entry(route, data, members, merged), data, members)

    # The members

    def _gather(self, route: Route, entries: dict[str, Entry]) -> list[_Member]:
        """Every upstream's part, in order, asked in parallel where the cache cannot tell."""
        asking: Asking[_Member] = Asking(self._works.pool, _dropped)
        known = [self._known(at, route, entries) for at in range(len(self._upstreams))]
        members = {member.position: member for member in known if member is not None}
        questions = [
            partial(self._ask, at, route, entries.get(self._sources[at]))
            for at in range(len(self._upstreams))
            if at not in members
        ]
        try:
            asking.start(questions)
            for _ in questions:
                member = asking.wait()
                members[member.position] = member
        finally:
            asking.close()
        return [members[at] for at in sorted(members)]

    def _known(self, at: int, route: Route, entries: dict[str, Entry]) -> _Member | None:
        """What the cache can tell of a member without asking."""
        spec, now = self._upstreams[at].spec, self._works.clock()
        entry = entries.get(spec.key)
        if entry is None:
            if self._works.negatives.until(spec.key, route.path) > now:
                return _Member(at, Answered(spec.name, "absent", "remembered 404"))
            return None
        if not is_fresh(entry, route.freshness, spec, now):
            return None
        document = self._load(entry)
        if document is None:
            del entries[spec.key]
            return None
        return _Member(at, Answered(spec.name, "found", "cached"), document, entry)

    def _ask(self, at: int, route: Route, entry: Entry | None) -> _Member:
        upstream = self._upstreams[at]
        expectation = evolve(self._format.expect(route), sidecars=())
        known = None if entry is None else entry.validators
        heard = ask(upstream, at, route, expectation, known)
        if heard.reply is not None:
            exchange = Exchange(upstream, route, self._format, expectation)
            try:
                return self._received(at, heard, exchange)
            except UpstreamError as error:
                heard = Heard(at, answered(upstream.spec.name, error), error=error)
        if heard.error is not None:
            self._works.tell(UpstreamFailed(self._spec.name, route.path, heard.answer))
            document = None if entry is None else self._load(entry)
            return _Member(at, heard.answer, document, entry, heard.error)
        return self._settled_without_body(at, route, heard, entry)

    def _received(self, at: int, heard: Heard, exchange: Exchange) -> _Member:
        """Raises UpstreamError when the document is unusable."""
        assert heard.reply is not None
        document, entry = self._works.intake.read(exchange, heard.reply)
        try:
            self._format.merge(exchange.route, [(exchange.name, document)])
        except IntegrityError as error:
            error.upstream = exchange.name
            raise
        except NotFound:
            # Usable, though it makes a truthful merge impossible: for the merge to say.
            pass
        self._works.publisher.later(entry, document, _published)
        self._works.negatives.forget(entry.source, entry.path)
        return _Member(at, heard.answer, document, entry)

    def _settled_without_body(
        self, at: int, route: Route, heard: Heard, entry: Entry | None
    ) -> _Member:
        spec, now = self._upstreams[at].spec, self._works.clock()
        kept = heard.answer.outcome == "absent" and spec.on_missing == "keep"
        if entry is not None and (heard.unchanged or kept):
            document = self._load(entry)
            if document is not None:
                self._works.index.touch(spec.key, route.path, now)
                return _Member(at, heard.answer, document, evolve(entry, checked_at=now))
        if entry is not None:
            self._works.index.drop(spec.key, route.path)
        if heard.unchanged:
            # Our copy vanished between the question and the answer: ask for the body itself.
            return self._ask(at, route, None)
        if spec.negative_validity_seconds > 0:
            until = now + spec.negative_validity_seconds
            self._works.negatives.remember(spec.key, route.path, until)
        return _Member(at, heard.answer)

    def _load(self, entry: Entry) -> bytes | None:
        try:
            with self._works.store.open(blob_key(entry.sha256)) as body:
                return b"".join(body.read())
        except Missing:
            self._works.index.drop(entry.source, entry.path)
            return None

    # The document

    def _merge(self, route: Route, members: Sequence[_Member]) -> tuple[bytes, list[str]]:
        """Raises NotFound when it exists nowhere, UpstreamError when that cannot be told."""
        said = [member.answer for member in members]
        lost = [m for m in members if m.error is not None and m.document is None]
        fatal = [m for m in lost if self._upstreams[m.position].spec.on_error == "stop"]
        present = [m for m in members if m.document is not None]
        if fatal or (lost and not present):
            cause = (fatal or lost)[0].error
            assert cause is not None
            raise broken(route, cause, said)
        if not present or (self._format.complete(route) and len(present) < len(members)):
            until = min(
                (
                    self._works.negatives.until(self._sources[m.position], route.path)
                    for m in members
                    if m.document is None
                ),
                default=0.0,
            )
            raise absent(self._spec, route, dict(enumerate(said)), until)
        documents = [
            (self._upstreams[member.position].spec.name, member.document)
            for member in present
            if member.document is not None
        ]
        try:
            return self._format.merge(route, documents)
        except IntegrityError as error:
            raise broken(route, error, said) from error

    def _entry(
        self, route: Route, data: bytes, members: Sequence[_Member], before: Entry | None
    ) -> Entry:
        digests = digest([data], Algorithm)
        now = self._works.clock()
        created = now
        if before is not None and before.sha256 == digests[Algorithm.SHA256]:
            created = before.created_at
        checked = min(
            (member.entry.checked_at for member in members if member.entry is not None),
            default=now,
        )
        return Entry(
            source=self._spec.key,
            path=route.path,
            sha256=digests[Algorithm.SHA256],
            size=len(data),
            sha1=digests[Algorithm.SHA1],
            md5=digests[Algorithm.MD5],
            sha512=digests[Algorithm.SHA512],
            content_type=None,
            etag=None,
            last_modified=formatdate(created, usegmt=True),
            created_at=created,
            checked_at=checked,
            parts=_fingerprint(members),
        )

    def _answer(
        self, flight: Flight[Landed], entry: Entry, data: bytes, members: Sequence[_Member]
    ) -> None:
        arrival = Arrival(entry.source, representation_of(entry), data=data)
        arrival.entry.set_result(entry)
        if any(member.error is not None for member in members):
            # Good enough to serve, not to keep: a member's part is old or missing.
            until = self._works.clock() + STALE_REPEATED
            flight.answer(Landed("stale", until, arrival=arrival))
            flight.land()
            return
        self._works.publisher.later(entry, data, lambda _error: flight.land())
        flight.answer(Landed("merged", self._fresh_until(entry), arrival=arrival))


def _fingerprint(members: Sequence[_Member]) -> str:
    parts = "\0".join(
        f"{member.position}={member.entry.sha256}" for member in members if member.entry is not None
    )
    return hashlib.sha256(parts.encode()).hexdigest()


def _published(_error: Exception | None) -> None:
    """A member's document that could not be kept is asked for again next time."""


def _dropped(_member: _Member) -> None:
    """Nothing is held open by a member."""

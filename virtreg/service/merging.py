"""Documents built from every upstream's own, such as lists of versions.

Each member's document is a cache entry of its upstream; the merge is one of the registry. A
member that cannot answer takes part with its last good copy; without one the last good merge is
served, or the error told: a list that silently lost a member's versions is a lie.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import partial

from virtreg.core.freshness import (
    fresh_until,
    merged_fresh_until,
    merged_is_fresh,
    merged_validity,
)
from virtreg.core.httpdate import print_http_date
from virtreg.errors import IntegrityError, StoreUnavailable, UpstreamError
from virtreg.events import Merged, ServedStale
from virtreg.model import Algorithm, Entry, RegistrySpec, Route
from virtreg.protocols import Format, Gathers
from virtreg.service.arrival import Arrival, representation_of
from virtreg.service.barring import Barring
from virtreg.service.digesting import digest
from virtreg.service.failures import absent, broken
from virtreg.service.flights import Flight
from virtreg.service.health import GuardedUpstream
from virtreg.service.members import Member, Members
from virtreg.service.resolution import Resolved
from virtreg.service.spare import Spare, resolve_in_time
from virtreg.service.works import STALE_REPEATED, Landed, Works

_EDITION = "1:"
"""Of the merge itself; a new one makes documents that were merged before be merged again."""


class Merging:
    """The merged documents of one registry. Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[GuardedUpstream],
        works: Works,
        barring: Barring | None = None,
    ) -> None:
        self._spec = spec
        self._format = format
        self._upstreams = upstreams
        self._works = works
        self._members = Members(spec.name, format, upstreams, works, barring)

    def resolve(self, route: Route) -> Resolved:
        merged = self._merged(route)
        if merged is None:
            return self._fly(route, None)
        try:
            if self._is_fresh(route, merged):
                opened = self._works.open(route, merged, "hit", self._fresh_until(route, merged))
                if opened is not None:
                    return opened
            return self._fly(route, merged)
        except StoreUnavailable:
            return self.bypass(route)

    def bypass(self, route: Route) -> Resolved:
        """Merge anew, for what is kept cannot be read. Raises StoreUnavailable where that is to be
        told."""
        if not self._works.streams:
            raise StoreUnavailable(f"what is kept of {route.path} cannot be read")
        key = (self._spec.key, route.path, "anew")
        return self._works.fly(key, route, lambda flight: self._gather(flight, route, None))

    def _fly(self, route: Route, merged: Entry | None) -> Resolved:
        key = (self._spec.key, route.path)
        fly = partial(self._works.fly, key, route, lambda flight: self._lead(flight, route))
        spare = None if merged is None else Spare(merged, partial(self._stale, route, merged))
        return resolve_in_time(self._works, key, fly, spare)

    def _stale(self, route: Route, merged: Entry, reason: str) -> Resolved | None:
        self._works.tell(ServedStale(self._spec.name, route.path, "", reason))
        until = self._works.clock() + STALE_REPEATED
        return self._works.open(route, merged, "stale", until, f"stale: {reason}")

    def _merged(self, route: Route) -> Entry | None:
        found = self._works.index.find(route.path, [self._spec.key])
        return found[0] if found else None

    def _is_fresh(self, route: Route, merged: Entry) -> bool:
        now = self._works.clock()
        return merged_is_fresh(merged, route.freshness, self._spec.upstreams, now)

    def _fresh_until(self, route: Route, merged: Entry) -> float:
        return merged_fresh_until(merged, route.freshness, self._spec.upstreams)

    def _lead(self, flight: Flight[Landed], route: Route) -> None:
        merged = self._merged(route)
        if merged is not None and self._is_fresh(route, merged):
            flight.answer(Landed("hit", self._fresh_until(route, merged), entry=merged))
            flight.land()
            return
        self._gather(flight, route, merged)

    def _gather(self, flight: Flight[Landed], route: Route, merged: Entry | None) -> None:
        members = self._members.gather(route, self._members.entries(route))
        if merged is not None and _unchanged(merged, members):
            kept = merged
            # With a local member it is looked at each time, whenever that was last.
            if not any(upstream.local for upstream in self._spec.upstreams):
                kept = self._works.vouched_for(merged, self._checked_at(route, members))
            flight.answer(Landed("revalidated", self._fresh_until(route, kept), entry=kept))
            flight.land()
            return
        try:
            data, left_out = self._merge(route, members)
        except UpstreamError as error:
            if merged is None:
                raise
            self._works.tell(
                ServedStale(self._spec.name, route.path, error.upstream, error.message)
            )
            until = self._works.clock() + STALE_REPEATED
            warning = f"stale: {error.message}"
            flight.answer(Landed("stale", until, entry=merged, warning=warning))
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
        self._answer(flight, route, self._entry(route, data, members, merged), data, members)

    # The document

    def _merge(self, route: Route, members: Sequence[Member]) -> tuple[bytes, list[str]]:
        """Raises NotFound when it exists nowhere and absence is not told by a document of its
        own, Barred when no upstream may tell, UpstreamError when whether it exists cannot be
        told."""
        said = [member.answer for member in members]
        denied = [member for member in members if member.answer.outcome == "denied"]
        lost = [m for m in members if m.error is not None and m.document is None]
        fatal = [m for m in lost if self._upstreams[m.position].spec.on_error == "stop"]
        present = [m for m in members if m.document is not None]
        if fatal or (lost and not present):
            cause = (fatal or lost)[0].error
            assert cause is not None
            raise broken(route, cause, said, barred=bool(fatal) and len(members) > 1)
        telling = len(members) - len(denied)
        nothing = self._nothing(route) if telling and not present else None
        if nothing is not None:
            return nothing, []
        if not present or (self._format.complete(route) and len(present) < telling):
            until = self._members.absent_until(route, members)
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

    def _nothing(self, route: Route) -> bytes | None:
        """What is told when no upstream has the document, where that is not absence."""
        return self._format.nothing(route) if isinstance(self._format, Gathers) else None

    def _entry(
        self, route: Route, data: bytes, members: Sequence[Member], before: Entry | None
    ) -> Entry:
        digests = digest([data], Algorithm)
        now = self._works.clock()
        created = now
        if before is not None and before.sha256 == digests[Algorithm.SHA256]:
            created = before.created_at
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
            last_modified=print_http_date(created),
            created_at=created,
            checked_at=self._checked_at(route, members),
            parts=_fingerprint(members),
        )

    def _checked_at(self, route: Route, members: Sequence[Member]) -> float:
        """The moment from which the validity of the merge ends when its first member's does."""
        ends = [
            fresh_until(member.entry, route.freshness, self._upstreams[member.position].spec)
            for member in members
            if member.entry is not None
        ]
        validity = merged_validity(route.freshness, self._spec.upstreams)
        return min(min(ends, default=math.inf) - validity, self._works.clock())

    def _answer(
        self,
        flight: Flight[Landed],
        route: Route,
        entry: Entry,
        data: bytes,
        members: Sequence[Member],
    ) -> None:
        arrival = Arrival(entry.source, representation_of(entry), data=data)
        arrival.entry.set_result(entry)
        warning = self._warning(members)
        if warning:
            # Good enough to serve, not to keep: a member's part is old or missing.
            until = self._works.clock() + STALE_REPEATED
            flight.answer(Landed("stale", until, arrival=arrival, warning=warning))
            flight.land()
            return
        self._works.publisher.later(entry, data, lambda _error: flight.land())
        flight.answer(Landed("merged", self._fresh_until(route, entry), arrival=arrival))

    def _warning(self, members: Sequence[Member]) -> str:
        """Whose part is old or missing, and why; empty when all are as they should be."""
        return "; ".join(
            f"stale: the part of {self._upstreams[member.position].spec.name} is "
            f"{'missing' if member.document is None else 'old'}"
            f"{f': {member.error.message}' if member.error is not None else ''}"
            for member in members
            if member.error is not None or member.warning
        )


def _unchanged(merged: Entry, members: Sequence[Member]) -> bool:
    """Whether merging again would give the same bytes."""
    settled = all(member.error is None and not member.warning for member in members)
    return settled and merged.parts == _fingerprint(members)


def _fingerprint(members: Sequence[Member]) -> str:
    """Of the documents and of the way they are merged: a change of either merges again."""
    parts = _EDITION + "\0".join(
        f"{member.position}={member.entry.sha256}" for member in members if member.entry is not None
    )
    return hashlib.sha256(parts.encode()).hexdigest()

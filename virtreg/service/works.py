"""What the registries of one process share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Protocol

from attrs import evolve, field, frozen

from virtreg.core.layout import blob_key
from virtreg.errors import Missing, NotFound, StorageError, StoreUnavailable, UpstreamError
from virtreg.events import Event, Observer
from virtreg.model import Entry, Route
from virtreg.protocols import Body, CacheStore, EntryIndex
from virtreg.service.arrival import Arrival, representation_of
from virtreg.service.flights import Flight, Flights
from virtreg.service.intake import Intake
from virtreg.service.negatives import Negatives
from virtreg.service.opening import Opener, opener, trusted
from virtreg.service.patience import Patience
from virtreg.service.publishing import Publisher
from virtreg.service.resolution import Resolved

_log = logging.getLogger(__name__)

STALE_REPEATED = 10.0
"""Seconds for which a stale answer, or one that misses a member, may be repeated."""


SUSPECTED = 60.0
"""Seconds for which the copy is served instead of trying a failed download again."""


@frozen(eq=False)
class Lent:
    """What a local upstream has: opened for the flight's leader, and how others get it. ``again``
    raises NotFound and UpstreamError."""

    first: Resolved
    again: Callable[[], Resolved]


@frozen
class Landed:
    """What a flight brings: a cached entry, an arrival, or what is lent."""

    origin: str
    expires_at: float
    entry: Entry | None = None
    arrival: Arrival | None = None
    lent: Lent | None = None
    route: Route | None = None
    """As the source of the answer knows it; None: as it was asked for."""
    warning: str = ""


Leading = Callable[[Flight[Landed]], None]
"""What the leader of a flight does, as ``Flights.join`` says."""


class Coordinates(Protocol):
    """Has one of all processes lead a flight."""

    def lead(
        self,
        key: Hashable,
        flight: Flight[Landed],
        lead: Leading,
        again: Callable[[], Resolved],
    ) -> None:
        """Call ``lead`` where nobody else leads, as seen from this process, and else answer with
        what another brings. ``again`` flies anew, for readers whose leader is lost."""
        ...

    def close(self) -> None: ...


@frozen(eq=False)
class Works:
    """The shared parts. Thread-safe; ``close`` once, after the last request."""

    store: CacheStore
    index: EntryIndex
    intake: Intake
    publisher: Publisher
    clock: Callable[[], float]
    observers: Sequence[Observer] = ()
    flights: Flights[Landed] = field(factory=Flights)
    negatives: Negatives = field(factory=Negatives)
    suspects: Negatives = field(factory=Negatives)
    """Downloads that failed after their first byte had left, a short while ago, and upstreams that
    were waited for in vain."""
    others: Coordinates | None = None
    """None: this process is the only one."""
    patience: Patience = field(factory=Patience)
    streams: bool = True
    """Whether upstreams are asked for what is kept and cannot be read."""
    _open: Opener = field(init=False, repr=False)

    @_open.default
    def _(self) -> Opener:
        return opener(self.store)

    def fly(self, key: Hashable, route: Route, lead: Leading) -> Resolved:
        """Join the flight of a key and open what it brings. Raises what it failed with."""
        while True:
            landed, led = self.flights.join(key, partial(self._lead, key, route, lead))
            origin, entry = landed.origin, landed.entry
            known_as = landed.route or route
            if landed.lent is not None:
                if led:
                    return landed.lent.first
                try:
                    return landed.lent.again()
                except (NotFound, UpstreamError):
                    continue  # It has changed in this moment: who has it now?
            if landed.arrival is not None:
                origin = origin if led else "joined"
                arriving = _arriving(known_as, origin, landed, landed.arrival)
                if arriving is not None:
                    return arriving
                entry = landed.arrival.entry.result()
            assert entry is not None
            opened = self.open(known_as, entry, origin, landed.expires_at, landed.warning)
            if opened is not None:
                return opened

    def _lead(self, key: Hashable, route: Route, lead: Leading, flight: Flight[Landed]) -> None:
        if self.others is None:
            lead(flight)
        else:
            self.others.lead(key, flight, lead, partial(self.fly, key, route, lead))

    def open(
        self, route: Route, entry: Entry, origin: str, expires_at: float, warning: str = ""
    ) -> Resolved | None:
        """A cached entry as an answer; None when its bytes are gone, and then its row is too."""
        body = self.body(entry)
        if body is None:
            return None
        representation = representation_of(entry)
        return Resolved(
            route, entry.source, representation, body, origin, expires_at, warning=warning
        )

    def body(self, entry: Entry) -> Body | None:
        """The bytes of a cached entry; None when they are gone, or damaged so that their number
        is another, and then its row is gone too. Where the store is far away that may be found out
        only by the first read, which raises Missing. Raises StoreUnavailable."""
        try:
            body = self._open(blob_key(entry.sha256), entry.size)
        except Missing:
            self._forget(entry)
            return None
        except StorageError as error:
            raise _unavailable(error) from error
        if body.size in (entry.size, None):
            return trusted(body, partial(self._forget, entry))
        _log.error("blob %s has %s bytes instead of %d", entry.sha256, body.size, entry.size)
        body.close()
        self._forget(entry)
        return None

    def held(self, entry: Entry) -> bytes | None:
        """All bytes of a cached entry; None when they are gone, and then its row is too, or when
        they cannot be read and upstreams are asked in their place. Raises StoreUnavailable."""
        try:
            body = self.body(entry)
            if body is None:
                return None
            with body:
                return _read(body)
        except Missing:
            self._forget(entry)
            return None
        except StoreUnavailable:
            if not self.streams:
                raise
            return None

    def vouched_for(self, entry: Entry, checked_at: float) -> Entry:
        """The entry as an upstream has just vouched for it, remembered where that is possible:
        on a full disk the answer is as good, and is asked for again."""
        try:
            self.index.touch(entry.source, entry.path, checked_at)
        except StorageError as error:
            _log.warning("a check of %s could not be remembered: %s", entry.path, error.message)
        return evolve(entry, checked_at=checked_at)

    def _forget(self, entry: Entry) -> None:
        """Drop the row, unless it is a newer one by now, whose bytes are there."""
        for row in self.index.find(entry.path, [entry.source]):
            if (row.sha256, row.created_at) == (entry.sha256, entry.created_at):
                self.index.drop(entry.source, entry.path)

    def tell(self, event: Event) -> None:
        """Tell every observer; one that fails is logged and does not disturb the others."""
        for observer in self.observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - the plug-in boundary
                _log.exception("an observer failed on %s", type(event).__name__)

    def close(self, grace: float) -> None:
        """Let downloads end for up to ``grace`` seconds, then publish what is whole."""
        self.intake.close(grace)
        self.patience.close()
        self.publisher.close()
        if self.others is not None:
            self.others.close()


def _read(body: Body) -> bytes:
    """Raises Missing and StoreUnavailable."""
    try:
        return b"".join(body.read())
    except Missing:
        raise
    except StorageError as error:
        raise _unavailable(error) from error


def _unavailable(error: StorageError) -> StoreUnavailable:
    return StoreUnavailable(error.message, retry_after=error.retry_after)


def _arriving(route: Route, origin: str, landed: Landed, arrival: Arrival) -> Resolved | None:
    """None when the arrival has ended before anybody could follow it."""
    try:
        body = arrival.body()
    except Missing:
        return None
    return Resolved(
        route,
        arrival.source,
        arrival.representation(),
        body,
        origin,
        landed.expires_at,
        arrival,
        landed.warning,
    )

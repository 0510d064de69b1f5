"""What keeps upstreams of a registry from answering: rules, ownerships, a minimum release age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self

from attrs import evolve

from virtreg.core.maturity import immaturity
from virtreg.core.rules import Rulebook
from virtreg.errors import ConfigError, InvalidRequest, NotFound
from virtreg.model import Answered, Entry, RegistrySpec, Route
from virtreg.protocols import Format, Situates
from virtreg.service.asking import Heard, close_reply
from virtreg.service.localizing import Asked

NONE: Mapping[int, str] = {}


class Barring:
    """Of one registry. Thread-safe. Positions count from 0; a reason is one line."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        clock: Callable[[], float],
    ) -> None:
        """Raises ConfigError for rules that cannot be applied."""
        if not isinstance(format, Situates):
            raise ConfigError(f"registry {spec.name!r}: its format {format.name!r} takes no rules")
        try:
            self._rules = Rulebook(spec, format.targets)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self._route = format.route
        self._format: Situates = format
        self._upstreams = spec.upstreams
        self._sources = tuple(upstream.key for upstream in spec.upstreams)
        self._clock = clock

    @classmethod
    def of(
        cls,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        clock: Callable[[], float],
    ) -> Self | None:
        """None where nothing is kept from answering: that costs a request nothing."""
        barred = spec.ownerships or any(
            upstream.rules or upstream.minimum_release_age_hours for upstream in spec.upstreams
        )
        return cls(spec, format, clock) if barred else None

    def denied(self, asked: Asked, entries: Mapping[str, Entry]) -> dict[int, str]:
        """The positions that may not answer, with the reason; ``entries`` is what is cached, by
        source."""
        found: dict[int, str] = {}
        for at, source in enumerate(self._sources):
            reason = self._denial(at, asked.known_as[at], entries.get(source))
            if reason is not None:
                found[at] = reason
        return found

    def unless_young(self, heard: Heard, asked: Asked) -> Heard:
        """The answer, or if it has found a release that is too young, that it is denied; then its
        reply is closed."""
        at = heard.position
        hours = self._upstreams[at].minimum_release_age_hours
        if not hours or not self._format.released(asked.known_as[at]):
            return heard
        if heard.reply is not None:
            modified = heard.reply.headers.get("last-modified")
        elif heard.facts is not None:
            modified = heard.facts.last_modified
        else:
            return heard
        reason = immaturity(modified, hours, self._clock())
        if reason is None:
            return heard
        close_reply(heard)
        return evolve(heard, answer=self.answer(at, reason), reply=None, facts=None, lent=None)

    def sift(self, position: int, route: Route, document: bytes) -> bytes | None:
        """The position's part of a merged document, which it knows by this route, without what it
        may not answer for; None when nothing is left."""
        return self._format.sift(
            route, document, lambda coordinates: self._rules.allows(position, coordinates)
        )

    def lists(self, position: int, path: str) -> bool:
        """Whether something cached of the position, by its path there, may be told of."""
        try:
            route = self._route(path)
        except (InvalidRequest, NotFound):
            return False
        return self._denial(position, route, None) is None

    def answer(self, position: int, reason: str) -> Answered:
        return Answered(self._upstreams[position].name, "denied", reason)

    def _denial(self, position: int, route: Route, entry: Entry | None) -> str | None:
        upstream = self._upstreams[position]
        denial = self._rules.denial(position, self._format.coordinates(route, upstream))
        hours = upstream.minimum_release_age_hours
        if denial is not None or entry is None or not hours or not self._format.released(route):
            return denial
        return immaturity(entry.last_modified, hours, self._clock())

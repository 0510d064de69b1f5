"""What a registry would do about a path at this moment, and why: told without asking anybody and
without changing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

from virtreg.core.freshness import fresh_until, merged_fresh_until, merged_is_fresh
from virtreg.core.walk import Absent, Ask, Broken, Outcome, Serve, Walk
from virtreg.model import Entry, Quota, RegistrySpec, Route
from virtreg.protocols import Format
from virtreg.service.localizing import Asked
from virtreg.service.walking import Entries, Walking
from virtreg.service.works import Works

Decision = Literal["serve", "ask", "merge", "list", "absent", "barred", "broken"]
"""``serve`` what is cached; ``ask`` upstreams; ``merge`` what upstreams have, asking those whose
part is not cached; ``list`` what is cached; else there is no answer: all are believed ``absent``,
or rules have them all ``barred``, or one that matters is ``broken`` and would not be asked now."""


@frozen
class Position:
    """One upstream of the registry. Times are seconds since the epoch."""

    upstream: str
    """Its name."""
    path: str
    """As it knows the path."""
    denied: str | None
    """Why it may not answer, naming the rule."""
    entry: Entry | None
    """What is cached of it, though it may not be served."""
    fresh_until: float | None
    """Until when the entry is served without asking, infinity for always; None without one."""
    negative_until: float | None
    """Until when it is believed absent there."""
    left_alone_until: float | None
    """It failed or refused before, and is not asked until then; infinity while offline."""
    quota: Quota | None
    """What it last said of it."""
    asked: bool
    """It would be asked; after those before it, where they have an answer."""


@frozen
class Explanation:
    """``path`` is the canonical one, of the file itself for a checksum."""

    path: str
    decision: Decision
    sentence: str
    """The decision for a person, in one line."""
    positions: tuple[Position, ...]


class Explaining:
    """Of one registry. Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        walking: Walking,
        works: Works,
    ) -> None:
        self._spec = spec
        self._format = format
        self._walking = walking
        self._works = works

    def explain(self, route: Route) -> Explanation:
        """Raises StorageError when the index cannot be asked."""
        if route.listing:
            sentence = f"{route.path} is made anew of what is cached; no upstream is asked"
            return Explanation(route.path, "list", sentence, ())
        asked = self._walking.asked(route)
        entries = self._walking.entries(asked)
        denied = self._walking.denied(asked, entries)
        alone = {
            at: until
            for at in range(len(self._walking.upstreams))
            if (until := self._left_alone(at, asked, entries)) is not None
        }
        if route.merged:
            decision, why, questions = self._merged(asked, entries, denied)
        else:
            walk = self._walking.walk(asked, entries, denied)
            decision, why = self._course(walk, alone, denied)
            questions = _questions(self._walking.walk(asked, entries, denied))
        positions = tuple(
            self._position(at, asked, entries, denied, alone, at in questions)
            for at in range(len(self._walking.upstreams))
        )
        return Explanation(route.path, decision, why, positions)

    def _course(
        self, walk: Walk, alone: Mapping[int, float], denied: Mapping[int, str]
    ) -> tuple[Decision, str]:
        """The walk up to the first that would truly be asked: those left alone fail at once."""
        while True:
            match walk.next():
                case Ask(positions):
                    first = [at for at in positions if at not in alone]
                    if first:
                        return "ask", f"{self._names(first)} would be asked"
                    for at in positions:
                        walk.heard(at, Outcome.BROKEN)
                case Serve(position, stale):
                    name = self._names([position])
                    if stale:
                        return "serve", f"the copy of {name} is served stale: it is left alone now"
                    return "serve", f"the copy of {name} is served from the cache"
                case Broken(positions):
                    return "broken", f"{self._names(positions)} is left alone, nothing is cached"
                case Absent():
                    return self._absent(denied)
                case step:
                    raise AssertionError(f"nobody is waited for: {step}")

    def _absent(self, denied: Mapping[int, str]) -> tuple[Decision, str]:
        if not self._walking.upstreams:
            return "absent", "the registry has no upstreams"
        if denied and len(denied) == len(self._walking.upstreams):
            return "barred", "rules keep every upstream from answering"
        return "absent", "every upstream that may answer is believed not to have it"

    def _merged(
        self, asked: Asked, entries: Entries, denied: Mapping[int, str]
    ) -> tuple[Decision, str, set[int]]:
        if len(denied) == len(self._walking.upstreams):
            return *self._absent(denied), set()
        now = self._works.clock()
        questions = set(self._without_part(asked, entries, denied))
        route = asked.route
        for merged in self._works.index.find(route.path, [self._spec.key]):
            if merged_is_fresh(merged, route.freshness, self._spec.upstreams, now):
                until = merged_fresh_until(merged, route.freshness, self._spec.upstreams)
                sentence = f"the merged document is served from the cache for {until - now:.0f} s"
                return "serve", sentence, set()
        if not questions:
            return "merge", "it is merged from the parts that are cached", questions
        return "merge", f"{self._names(sorted(questions))} would be asked for a part", questions

    def _without_part(
        self, asked: Asked, entries: Entries, denied: Mapping[int, str]
    ) -> Sequence[int]:
        """The positions whose part the cache cannot tell."""
        now = self._works.clock()
        return [
            at
            for at, source in enumerate(self._walking.sources)
            if at not in denied
            and not self._negative(at, asked, now)
            and not (
                source in entries
                and self._walking.is_fresh(asked.known_as[at], entries[source], now)
            )
        ]

    def _position(
        self,
        at: int,
        asked: Asked,
        entries: Entries,
        denied: Mapping[int, str],
        alone: Mapping[int, float],
        questioned: bool,
    ) -> Position:
        upstream, route = self._walking.upstreams[at], asked.known_as[at]
        entry = entries.get(self._walking.sources[at])
        fresh = None if entry is None else fresh_until(entry, route.freshness, upstream.spec)
        return Position(
            upstream=upstream.spec.name,
            path=route.path,
            denied=denied.get(at),
            entry=entry,
            fresh_until=fresh,
            negative_until=self._negative(at, asked, self._works.clock()) or None,
            left_alone_until=alone.get(at),
            quota=upstream.quota,
            asked=questioned and at not in alone,
        )

    def _negative(self, at: int, asked: Asked, now: float) -> float:
        path = asked.known_as[at].path
        return self._works.negatives.until(self._walking.sources[at], path, now)

    def _left_alone(self, at: int, asked: Asked, entries: Entries) -> float | None:
        """Until when the upstream is not asked for this path."""
        route, source, now = asked.known_as[at], self._walking.sources[at], self._works.clock()
        metered = self._format.expect(route).metered
        until = self._walking.upstreams[at].left_alone_until(metered=metered)
        if source in entries:
            until = max(until, self._works.suspects.until(source, route.path, now))
        return until or None

    def _names(self, positions: Sequence[int]) -> str:
        return ", ".join(self._walking.upstreams[at].spec.name for at in positions)


def _questions(walk: Walk) -> set[int]:
    """Whom a walk asks on which nobody has an answer: all that could be asked."""
    asked: set[int] = set()
    while isinstance(step := walk.next(), Ask):
        asked.update(step.positions)
        for at in step.positions:
            walk.heard(at, Outcome.ABSENT)
    return asked

"""Driving a walk: asks :class:`virtreg.core.walk.Walk` what to do, does that one thing, and tells
it what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import evolve

from virtreg.core.freshness import fresh_until, is_fresh
from virtreg.core.walk import Absent, Ask, Broken, Cached, Outcome, Serve, Take, Wait, Walk
from virtreg.errors import Barred, IntegrityError, NotFound, VirtregError
from virtreg.events import Revalidated, UpstreamFailed
from virtreg.model import Answered, Entry, RegistrySpec, Route
from virtreg.protocols import Format
from virtreg.service.asking import Asking, Heard, Question, answered, close_reply
from virtreg.service.barring import NONE, Barring
from virtreg.service.failures import absent, broken
from virtreg.service.health import GuardedUpstream
from virtreg.service.localizing import Asked, Localizer
from virtreg.service.owners import Owners
from virtreg.service.works import Works

DENIED = 60.0
"""Seconds at most for which it is believed that strangers get nothing here: a right may be given
at any time."""

Entries = dict[str, Entry]
"""What the cache holds of one route, by source."""


class Walking:
    """The walks of one registry. Thread-safe."""

    def __init__(
        self,
        spec: RegistrySpec,
        format: Format,  # noqa: A002 - the protocol's word
        upstreams: Sequence[GuardedUpstream],
        works: Works,
        barring: Barring | None = None,
    ) -> None:
        self.spec = spec
        self.upstreams = tuple(upstreams)
        self.sources = tuple(upstream.spec.key for upstream in upstreams)
        self._by_source = {source: at for at, source in enumerate(self.sources)}
        self._works = works
        self._localizer = Localizer(format, [upstream.spec for upstream in upstreams])
        self._owners = Owners()
        self._barring = barring

    def asked(self, route: Route) -> Asked:
        return self._localizer.asked(route)

    def entries(self, asked: Asked) -> Entries:
        return self._localizer.entries(self._works.index, asked)

    def denied(self, asked: Asked, entries: Entries) -> Mapping[int, str]:
        """The positions that may not answer, with the reason."""
        return NONE if self._barring is None else self._barring.denied(asked, entries)

    def walk(self, asked: Asked, entries: Entries, denied: Mapping[int, str]) -> Walk:
        """``denied`` positions are as good as absent: never asked, never served."""
        now = self._works.clock()
        return Walk(
            [
                Cached.ABSENT if at in denied else self._state(route, source, entries, now)
                for at, (route, source) in enumerate(zip(asked.known_as, self.sources, strict=True))
            ],
            passable=[upstream.spec.on_error == "continue" for upstream in self.upstreams],
            # Offline the better positions have nothing to say.
            strict=self.spec.order == "strict" and not any(up.offline for up in self.upstreams),
            fixed=asked.route.digest is not None,
            likely=self._owners.likely(asked.route.path),
        )

    def spare(self, asked: Asked, entries: Entries, denied: Mapping[int, str]) -> int | None:
        """The position whose copy is the answer if no upstream gives one; None where there is
        none."""
        walk = self.walk(asked, entries, denied)
        while True:
            match walk.next():
                case Ask(positions):
                    for at in positions:
                        walk.heard(at, Outcome.BROKEN)
                case Serve(position):
                    return position
                case _:
                    return None

    def drive(
        self,
        asked: Asked,
        entries: Entries,
        question: Callable[[int], Question[Heard]],
        take: Callable[[Heard], Heard | None],
        serve: Callable[[Entry, Heard | None, bool], None],
    ) -> None:
        """Walk to an answer. ``take`` is given what a position found, to own its reply, and
        returns None when that will do, else what is now heard in its place; ``serve`` a cached
        entry, what its upstream said, and whether it is stale.

        Raises NotFound, Barred and UpstreamError when there is no answer, and what the callables
        raise.
        """
        denied = self.denied(asked, entries)
        walk = self.walk(asked, entries, denied)
        answers: dict[int, Heard] = {
            at: Heard(at, Answered(self.upstreams[at].spec.name, "denied", reason))
            for at, reason in denied.items()
        }
        asking = Asking(close_reply)
        try:
            while True:
                match walk.next():
                    case Ask(positions):
                        asking.start(
                            [self._unless_suspected(at, entries, question) for at in positions]
                        )
                    case Wait():
                        heard = self._unless_young(asking.wait(), asked)
                        answers[heard.position] = heard
                        walk.heard(heard.position, self._weigh(heard, asked, entries))
                    case Take(position):
                        another = take(answers.pop(position))
                        if another is None:
                            return
                        another = self._unless_young(another, asked)
                        answers[position] = another
                        walk.heard(position, self._weigh(another, asked, entries))
                    case Serve(position, stale):
                        serve(entries[self.sources[position]], answers.get(position), stale)
                        return
                    case Absent():
                        raise self._absent(asked, answers, denied)
                    case Broken(positions):
                        raise self._broken(asked.route, answers, positions)
        finally:
            asking.close()
            for heard in answers.values():
                close_reply(heard)

    def position(self, source: str) -> int:
        return self._by_source[source]

    def fresh_until(self, route: Route, entry: Entry) -> float:
        return fresh_until(entry, route.freshness, self.upstreams[self.position(entry.source)].spec)

    def is_fresh(self, route: Route, entry: Entry, now: float) -> bool:
        spec = self.upstreams[self.position(entry.source)].spec
        return is_fresh(entry, route.freshness, spec, now)

    def found(self, asked: Asked, position: int) -> None:
        """Remember who had it, for what lies beside it."""
        for path in {asked.route.path, asked.known_as[position].path}:
            self._owners.found(path, position)

    def _state(self, route: Route, source: str, entries: Entries, now: float) -> Cached:
        entry = entries.get(source)
        if entry is None:
            known = self._works.negatives.until(source, route.path, now)
            return Cached.ABSENT if known else Cached.NOTHING
        return Cached.FRESH if self.is_fresh(route, entry, now) else Cached.STALE

    def _unless_suspected(
        self,
        position: int,
        entries: Entries,
        question: Callable[[int], Question[Heard]],
    ) -> Question[Heard]:
        upstream = self.upstreams[position]
        entry = entries.get(self.sources[position])
        now = self._works.clock()
        if entry is not None and self._works.suspects.until(entry.source, entry.path, now):
            return upstream.threads, lambda: _suspected(position, upstream.spec.name)
        return question(position)

    def _weigh(self, heard: Heard, asked: Asked, entries: Entries) -> Outcome:
        """What an answer means for the walk, with what follows from it for the cache. Where the
        upstream has a new body that may not be had yet, the copy of the old one is kept."""
        source = self.sources[heard.position]
        spec = self.upstreams[heard.position].spec
        path = asked.known_as[heard.position].path
        entry = entries.get(source)
        if heard.error is not None:
            self._works.tell(UpstreamFailed(self.spec.name, asked.route.path, heard.answer))
            return Outcome.BROKEN
        absent_there = heard.answer.outcome == "absent"
        if (
            heard.unchanged
            or heard.answer.outcome == "denied"
            or _still(entry, heard)
            or (absent_there and entry is not None and spec.on_missing == "keep")
        ):
            if entry is None:
                return Outcome.ABSENT
            entries[source] = self._works.vouched_for(entry, self._works.clock())
            self._works.tell(Revalidated(self.spec.name, path, spec.name, changed=False))
            return Outcome.UNCHANGED
        if absent_there:
            if entry is not None:
                self._works.index.drop(source, path)
                del entries[source]
            seconds = 0.0 if spec.local else spec.negative_validity_seconds
            if heard.denied:
                seconds = min(seconds, DENIED)
            if seconds > 0:
                self._works.negatives.remember(source, path, self._works.clock(), seconds)
            return Outcome.ABSENT
        return Outcome.FOUND

    def _unless_young(self, heard: Heard, asked: Asked) -> Heard:
        return heard if self._barring is None else self._barring.unless_young(heard, asked)

    def _absent(
        self, asked: Asked, answers: dict[int, Heard], denied: Mapping[int, str]
    ) -> NotFound | Barred:
        now = self._works.clock()
        until = min(
            (
                self._works.negatives.until(source, route.path, now)
                for at, (source, route) in enumerate(zip(self.sources, asked.known_as, strict=True))
                if at not in denied
            ),
            default=0.0,
        )
        said = {
            at: evolve(heard.answer, outcome="refused") if heard.denied else heard.answer
            for at, heard in answers.items()
        }
        return absent(self.spec, asked.route, said, until)

    def _broken(
        self, route: Route, answers: dict[int, Heard], positions: Sequence[int]
    ) -> VirtregError:
        last = positions[-1]
        cause = answers[last].error
        assert cause is not None
        # A digest lets every upstream be passed, and below the last one there is nobody.
        stops = route.digest is None and self.upstreams[last].spec.on_error == "stop"
        barred = stops and last < len(self.upstreams) - 1
        return broken(route, cause, [answers[at].answer for at in sorted(answers)], barred=barred)


def _still(entry: Entry | None, heard: Heard) -> bool:
    """Whether a name stands for the body that is held."""
    if entry is None or heard.pin is None or heard.pin.digest is None:
        return False
    algorithm, digest = heard.pin.digest
    return entry.digests.get(algorithm) == digest


def _suspected(position: int, upstream: str) -> Heard:
    """An answer without asking: whoever waits gets the copy, not another download cut short."""
    error = IntegrityError(
        f"{upstream} did not deliver the file whole a moment ago", upstream=upstream
    )
    return Heard(position, answered(upstream, error), error=error)

"""The ordered walk over a registry's upstreams, as a state machine without I/O.

The shell asks :meth:`Walk.next` what to do, does it, and reports each upstream's outcome with
:meth:`Walk.heard`. Positions count from 0, best first. Not thread-safe: one walk, one driver.

The rules it keeps:

* A path cached in any upstream is answered from there, best position first; with ``strict`` an
  uncached better position is asked before a cached worse one.
* Upstreams may be asked in parallel; the order alone decides who wins.
* A broken upstream is not an absent one. Its stale copy is served if there is one; otherwise the
  walk stops there, unless the bytes are fixed by a digest or the upstream is marked as one the
  walk may pass.
* Where a digest fixes the bytes nothing hangs on the order: the likely upstream is asked first, on
  its own, and a held copy is good wherever it came from.
* Absent means that every upstream said so.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from attrs import define, frozen


class Cached(enum.Enum):
    """What the cache holds for one position when the walk begins."""

    NOTHING = "nothing"
    FRESH = "fresh"
    STALE = "stale"
    ABSENT = "absent"
    """Remembered to be absent."""


class Outcome(enum.Enum):
    """What one upstream answered."""

    FOUND = "found"
    UNCHANGED = "unchanged"
    """The stale copy is still what the upstream has, or is to be kept all the same."""
    ABSENT = "absent"
    BROKEN = "broken"


@frozen
class Ask:
    """Ask these positions now, at once; conditionally where the cache holds a stale copy."""

    positions: tuple[int, ...]


@frozen
class Wait:
    """Nothing to do until another outcome is heard."""


@frozen
class Serve:
    """Serve the cached copy of this position; ``stale`` when nobody could vouch for it."""

    position: int
    stale: bool = False


@frozen
class Take:
    """Serve what this position's upstream is sending."""

    position: int


@frozen
class Absent:
    """Every upstream said it does not have the path."""


@frozen
class Broken:
    """No answer can be given because these positions could not answer."""

    positions: tuple[int, ...]


Step = Ask | Wait | Serve | Take | Absent | Broken


@define
class _Position:
    cached: Cached
    passable: bool
    asked: bool = False
    outcome: Outcome | None = None


class Walk:
    """One walk. ``passable`` says per position whether a broken upstream may be passed;
    ``fixed`` that a digest fixes the bytes, which makes every position passable. ``width`` bounds
    how many upstreams are asked at once; ``likely`` is the position expected to have the path:
    nothing after it is asked before it has answered, and with ``fixed`` nothing before it either.
    """

    def __init__(
        self,
        cached: Sequence[Cached],
        *,
        passable: Sequence[bool],
        strict: bool = False,
        fixed: bool = False,
        width: int = 20,
        likely: int | None = None,
    ) -> None:
        if width < 1:
            raise ValueError("width must be at least 1")
        self._positions = [
            _Position(state, fixed or may_pass)
            for state, may_pass in zip(cached, passable, strict=True)
        ]
        self._width = width
        self._likely = likely
        self._strict = strict and not fixed
        self._fixed = fixed
        self._order = self._ordered()

    def heard(self, position: int, outcome: Outcome) -> None:
        """Report what an asked position answered. A position found may be reported again as
        broken, when its body turned out to be unusable."""
        self._positions[position].outcome = outcome
        if outcome is Outcome.ABSENT:
            # The copy that made the walk begin here may be the one that is gone.
            self._order = self._ordered()

    def next(self) -> Step:
        """What to do now. Pure in the state: asking twice gives the same step, except that an
        ``Ask`` is given once."""
        broken: list[int] = []
        for place, at in enumerate(self._order):
            position = self._positions[at]
            step = self._decide(at, position)
            if step is not None:
                return step
            if position.outcome is Outcome.BROKEN:
                broken.append(at)
                if not position.passable:
                    return Broken(tuple(broken))
            elif self._undecided(position):
                return self._ask(self._order[place:])
        return Broken(tuple(sorted(broken))) if broken else Absent()

    def _ordered(self) -> Sequence[int]:
        """Who counts, and in which order: from the best copy still there on, or from the top when
        there is none."""
        every = range(len(self._positions))
        begin = None if self._strict else self._best_held()
        if not self._fixed:
            return every[begin or 0 :]
        begin = self._likely if begin is None else begin
        return every if begin is None else (begin, *every[:begin], *every[begin + 1 :])

    def _best_held(self) -> int | None:
        held = (Cached.FRESH, Cached.STALE)
        return next(
            (
                at
                for at, position in enumerate(self._positions)
                if position.cached in held and position.outcome is not Outcome.ABSENT
            ),
            None,
        )

    @staticmethod
    def _undecided(position: _Position) -> bool:
        return position.outcome is None and position.cached is not Cached.ABSENT

    @staticmethod
    def _decide(at: int, position: _Position) -> Step | None:
        match position.outcome:
            case Outcome.FOUND:
                return Take(at)
            case Outcome.UNCHANGED:
                return Serve(at)
            case Outcome.BROKEN if position.cached is Cached.STALE:
                return Serve(at, stale=True)
            case None if position.cached is Cached.FRESH:
                return Serve(at)
            case _:
                return None

    def _ask(self, order: Sequence[int]) -> Step:
        """Ask from the first undecided position on, as far as an answer could be needed."""
        flying = sum(p.asked and p.outcome is None for p in self._positions)
        chosen: list[int] = []
        for at in order:
            position = self._positions[at]
            if position.cached is Cached.FRESH and position.outcome is None:
                break
            if self._undecided(position):
                if not position.asked and flying + len(chosen) < self._width:
                    chosen.append(at)
                if position.cached is Cached.STALE:
                    break
            if position.outcome in (Outcome.FOUND, Outcome.UNCHANGED):
                break
            if at == self._likely and self._undecided(position):
                break
        if not chosen:
            return Wait()
        for at in chosen:
            self._positions[at].asked = True
        return Ask(tuple(chosen))

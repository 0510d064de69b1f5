"""Driving a walk with made-up upstreams, and the rules once more as a plain loop."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen
from hypothesis import strategies as st

from virtreg.core.walk import (
    Absent,
    Ask,
    Broken,
    Cached,
    Outcome,
    Serve,
    Step,
    Take,
    Wait,
    Walk,
)

HELD = (Cached.FRESH, Cached.STALE)


@frozen
class Scene:
    """What a walk meets: per position what is cached and what its upstream will answer."""

    cached: tuple[Cached, ...]
    outcomes: tuple[Outcome, ...]
    spoiled: tuple[bool, ...]
    """A body that is found turns out to be unusable."""
    passable: tuple[bool, ...]
    strict: bool
    fixed: bool
    width: int
    likely: int | None
    arrivals: tuple[int, ...]
    """Which of the questions in flight is answered next, over and over."""

    def passes(self, at: int) -> bool:
        return self.fixed or self.passable[at]

    def final(self, at: int) -> Outcome:
        """What is known of a position in the end, once its body was tried."""
        spoiled = self.outcomes[at] is Outcome.FOUND and self.spoiled[at]
        return Outcome.BROKEN if spoiled else self.outcomes[at]


@define
class Course:
    """How a walk went."""

    end: Step
    asked: list[tuple[int, ...]] = field(factory=list)
    most_in_flight: int = 0
    answered_before: dict[int, frozenset[int]] = field(factory=dict)
    """Per position asked, who had answered when it was."""

    @property
    def questions(self) -> list[int]:
        return [at for batch in self.asked for at in batch]


@st.composite
def scenes(
    draw: st.DrawFn,
    *,
    states: Sequence[Cached] = tuple(Cached),
    strict: bool | None = None,
    fixed: bool | None = None,
) -> Scene:
    """Any scene, or one with these states of the cache only."""
    positions = draw(
        st.lists(
            st.tuples(
                st.sampled_from(states), st.sampled_from(Outcome), st.booleans(), st.booleans()
            ),
            max_size=6,
        )
    )
    order, by_digest, width, likely, arrivals = draw(_CIRCUMSTANCES)
    return Scene(
        cached=tuple(position[0] for position in positions),
        outcomes=tuple(_possible(position[0], position[1]) for position in positions),
        spoiled=tuple(position[2] for position in positions),
        passable=tuple(position[3] for position in positions),
        strict=order if strict is None else strict,
        fixed=by_digest if fixed is None else fixed,
        width=width,
        likely=likely if likely < len(positions) else None,
        arrivals=tuple(arrivals),
    )


_CIRCUMSTANCES = st.tuples(
    st.booleans(),
    st.booleans(),
    st.integers(1, 7),
    st.integers(0, 12),
    st.lists(st.integers(0, 5), min_size=1, max_size=8),
)


def _possible(state: Cached, outcome: Outcome) -> Outcome:
    """Only what is held can be unchanged."""
    return Outcome.FOUND if outcome is Outcome.UNCHANGED and state not in HELD else outcome


def drive(scene: Scene) -> Course:
    """Walk to the end, checking that it gets there without asking anybody twice or waiting for
    nobody."""
    walk = Walk(
        scene.cached,
        passable=scene.passable,
        strict=scene.strict,
        fixed=scene.fixed,
        width=scene.width,
        likely=scene.likely,
    )
    course = Course(Absent())
    flying: list[int] = []
    answered: set[int] = set()
    # Each position is asked once, answers once, and is found unusable once.
    for turn in range(4 * len(scene.cached) + 1):
        match walk.next():
            case Ask(positions):
                assert positions
                assert not set(positions) & set(course.questions)
                course.asked.append(positions)
                flying.extend(positions)
                course.most_in_flight = max(course.most_in_flight, len(flying))
                course.answered_before |= dict.fromkeys(positions, frozenset(answered))
            case Wait():
                assert flying
                arrival = scene.arrivals[turn % len(scene.arrivals)]
                at = flying.pop(arrival % len(flying))
                answered.add(at)
                walk.heard(at, scene.outcomes[at])
            case Take(position) if scene.spoiled[position]:
                walk.heard(position, Outcome.BROKEN)
            case end:
                course.end = end
                return course
    raise AssertionError("the walk does not end")


def expected(scene: Scene) -> Step:
    """Where a walk must end: the rules as a loop that asks one upstream after the other."""
    if scene.fixed or not scene.strict:
        for at, state in enumerate(scene.cached):
            if state in HELD:
                step = _answer(scene, at)
                if step is not None:
                    return step
    order = list(range(len(scene.cached)))
    if scene.fixed and scene.likely is not None:
        order.sort(key=lambda at: at != scene.likely)
    broken: list[int] = []
    for at in order:
        step = _answer(scene, at)
        if step is not None:
            return step
        if scene.cached[at] is not Cached.ABSENT and scene.final(at) is Outcome.BROKEN:
            broken.append(at)
            if not scene.passes(at):
                break
    return Broken(tuple(sorted(broken))) if broken else Absent()


def decided_against(scene: Scene, positions: Sequence[int]) -> bool:
    """Whether each position was absent, or broken where that may be passed."""
    return all(
        scene.cached[at] is Cached.ABSENT
        or scene.final(at) is Outcome.ABSENT
        or (scene.final(at) is Outcome.BROKEN and scene.passes(at))
        for at in positions
    )


def _answer(scene: Scene, at: int) -> Step | None:
    """What one position gives by itself."""
    state, outcome = scene.cached[at], scene.final(at)
    if state is Cached.FRESH:
        return Serve(at)
    if state is Cached.ABSENT:
        return None
    if outcome is Outcome.FOUND:
        return Take(at)
    if state is Cached.STALE and outcome is Outcome.UNCHANGED:
        return Serve(at)
    if state is Cached.STALE and outcome is Outcome.BROKEN:
        return Serve(at, stale=True)
    return None

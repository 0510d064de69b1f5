"""The walk: who is asked, who answers, and what may never happen."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.walking import HELD, Scene, decided_against, drive, expected, scenes
from virtreg.core.walk import Absent, Ask, Broken, Cached, Outcome, Serve, Take, Wait, Walk

NOTHING, FRESH, STALE, ABSENT = Cached.NOTHING, Cached.FRESH, Cached.STALE, Cached.ABSENT


def walk_over(*cached: Cached, passable: bool = False, likely: int | None = None) -> Walk:
    return Walk(cached, passable=[passable] * len(cached), likely=likely)


@given(scenes())
def test_it_ends_where_asking_one_after_the_other_would(scene: Scene) -> None:
    assert drive(scene).end == expected(scene)


@given(scenes(), st.permutations(range(6)), st.integers(1, 7))
def test_neither_speed_nor_width_decides_who_answers(
    scene: Scene, arrivals: list[int], width: int
) -> None:
    # Where a digest fixes the bytes, the likely owner goes first on purpose.
    likely = scene.likely if scene.fixed else None
    other = evolve(scene, arrivals=tuple(arrivals), width=width, likely=likely)
    assert drive(scene).end == drive(other).end


@given(scenes())
def test_what_an_upstream_denied_is_never_served_from_it(scene: Scene) -> None:
    end = drive(scene).end
    if isinstance(end, Take):
        assert scene.cached[end.position] is not ABSENT
        assert scene.final(end.position) is Outcome.FOUND
    if isinstance(end, Serve) and scene.cached[end.position] is STALE:
        assert scene.final(end.position) is not Outcome.ABSENT


@given(scenes(states=[NOTHING, ABSENT], fixed=False))
def test_a_body_is_taken_only_when_all_better_positions_are_out(scene: Scene) -> None:
    end = drive(scene).end
    if isinstance(end, Take):
        assert decided_against(scene, range(end.position))


@given(scenes())
def test_broken_upstreams_are_told_and_nobody_below_an_impassable_one_answers(
    scene: Scene,
) -> None:
    end = drive(scene).end
    if isinstance(end, Broken):
        assert all(scene.final(at) is Outcome.BROKEN for at in end.positions)
        last = end.positions[-1]
        assert decided_against(scene, range(len(scene.cached) if scene.passes(last) else last))


@given(scenes())
def test_absent_is_unanimous(scene: Scene) -> None:
    course = drive(scene)
    if course.end == Absent():
        for at, state in enumerate(scene.cached):
            if state is not ABSENT:
                assert scene.final(at) is Outcome.ABSENT
                assert at in course.questions


@given(scenes())
def test_a_stale_copy_is_served_unvouched_only_when_its_own_upstream_is_broken(
    scene: Scene,
) -> None:
    end = drive(scene).end
    if isinstance(end, Serve) and end.stale:
        assert scene.cached[end.position] is STALE
        assert scene.final(end.position) is Outcome.BROKEN


@given(scenes(states=[NOTHING, ABSENT], strict=False), scenes(strict=False))
def test_a_fresh_copy_in_the_best_cached_position_asks_nobody(above: Scene, below: Scene) -> None:
    scene = evolve(
        below,
        cached=(*above.cached, FRESH, *below.cached),
        outcomes=(*above.outcomes, Outcome.BROKEN, *below.outcomes),
        spoiled=(*above.spoiled, False, *below.spoiled),
        passable=(*above.passable, False, *below.passable),
    )
    course = drive(scene)
    assert course.end == Serve(len(above.cached))
    assert course.asked == []


@given(scenes(strict=False))
def test_as_long_as_a_cached_copy_stands_only_cached_positions_are_asked(scene: Scene) -> None:
    held = [at for at, state in enumerate(scene.cached) if state in HELD]
    course = drive(scene)
    for at, before in course.answered_before.items():
        gone = all(other in before for other in held)
        assert at in held or gone


@given(scenes(strict=True, fixed=False))
def test_strict_asks_every_better_position_that_is_not_cached(scene: Scene) -> None:
    course = drive(scene)
    if isinstance(course.end, Serve | Take):
        for at in range(course.end.position):
            assert scene.cached[at] is ABSENT or at in course.questions


@given(scenes(fixed=True))
def test_a_held_copy_whose_bytes_are_fixed_is_served_whatever_the_order(scene: Scene) -> None:
    if FRESH in scene.cached and STALE not in scene.cached:
        course = drive(scene)
        assert course.end == Serve(scene.cached.index(FRESH))
        assert course.asked == []


@given(scenes(states=[NOTHING], fixed=True))
def test_the_likely_owner_of_fixed_bytes_is_asked_before_anybody_else(scene: Scene) -> None:
    if scene.likely is not None:
        course = drive(scene)
        assert course.asked[0] == (scene.likely,)
        if scene.final(scene.likely) is Outcome.FOUND:
            assert course.end == Take(scene.likely)
            assert course.questions == [scene.likely]


@given(scenes())
def test_fresh_copies_and_remembered_absences_are_never_asked_about(scene: Scene) -> None:
    assert all(scene.cached[at] in (NOTHING, STALE) for at in drive(scene).questions)


@given(scenes())
def test_no_more_than_the_width_are_asked_at_once(scene: Scene) -> None:
    assert drive(scene).most_in_flight <= scene.width


@given(scenes(states=[NOTHING, ABSENT]))
def test_nobody_below_the_likely_owner_is_asked_before_it_has_answered(scene: Scene) -> None:
    for at, before in drive(scene).answered_before.items():
        if scene.likely is not None and at > scene.likely:
            assert scene.likely in before or scene.cached[scene.likely] is ABSENT


def test_everybody_is_asked_at_once_when_nothing_is_known() -> None:
    assert walk_over(*[NOTHING] * 20).next() == Ask(tuple(range(20)))


def test_a_likely_owner_that_is_known_to_be_absent_holds_nobody_back() -> None:
    assert walk_over(NOTHING, ABSENT, NOTHING, likely=1).next() == Ask((0, 2))


def test_the_better_position_is_waited_for_when_the_worse_answers_first() -> None:
    walk = walk_over(NOTHING, NOTHING)
    assert walk.next() == Ask((0, 1))
    walk.heard(1, Outcome.FOUND)
    assert walk.next() == Wait()
    walk.heard(0, Outcome.FOUND)
    assert walk.next() == Take(0)


def test_a_copy_that_is_gone_gives_way_to_the_next_cached_one() -> None:
    walk = walk_over(NOTHING, STALE, FRESH)
    assert walk.next() == Ask((1,))
    walk.heard(1, Outcome.ABSENT)
    assert walk.next() == Serve(2)


def test_when_the_last_copy_is_gone_everybody_may_be_asked() -> None:
    walk = walk_over(NOTHING, STALE, NOTHING)
    assert walk.next() == Ask((1,))
    walk.heard(1, Outcome.ABSENT)
    assert walk.next() == Ask((0, 2))


def test_an_unusable_body_lets_its_stale_copy_be_served() -> None:
    walk = walk_over(STALE, NOTHING)
    assert walk.next() == Ask((0,))
    walk.heard(0, Outcome.FOUND)
    assert walk.next() == Take(0)
    walk.heard(0, Outcome.BROKEN)
    assert walk.next() == Serve(0, stale=True)


def test_a_registry_without_upstreams_has_nothing() -> None:
    assert walk_over().next() == Absent()


def test_a_width_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="width must be at least 1"):
        Walk([NOTHING], passable=[False], width=0)

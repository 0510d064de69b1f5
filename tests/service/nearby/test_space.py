"""Copies within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.nearby.places import Nearby
from virtreg.service.space import Space
from virtreg.testing.stores import key_of

BODIES = [bytes([number]) * 100 for number in range(20)]
KEYS = [key_of(body) for body in BODIES]


@pytest.fixture
def nearby(tmp_path: Path) -> Iterator[Nearby]:
    nearby = Nearby(tmp_path, budget=1000)
    yield nearby
    nearby.close()


def test_what_was_used_longest_ago_goes_first(nearby: Nearby) -> None:
    for at, (key, body) in enumerate(zip(KEYS, BODIES, strict=True)):
        nearby.local.put(key, body)
        nearby.age(key, 1000 + at)
    # One that would have to go is used.
    assert nearby.read(KEYS[3], 100) == BODIES[3]
    space = Space(nearby.local, 1000)
    assert space.trim() == 1100
    assert nearby.held() == {KEYS[3], *KEYS[12:]}
    assert space.trim() == 0


def test_what_fits_is_left_alone(nearby: Nearby) -> None:
    for key, body in zip(KEYS[:10], BODIES[:10], strict=True):
        nearby.local.put(key, body)
    assert Space(nearby.local, 1000).trim() == 0
    assert len(nearby.held()) == 10


def test_no_more_goes_than_must_where_all_is_of_one_moment(nearby: Nearby) -> None:
    for key, body in zip(KEYS, BODIES, strict=True):
        nearby.local.put(key, body)
        nearby.age(key, 5000)
    assert Space(nearby.local, 1000).trim() == 1100
    assert len(nearby.held()) == 9


def test_two_processes_that_look_at_once_remove_what_one_would(nearby: Nearby) -> None:
    for at, (key, body) in enumerate(zip(KEYS, BODIES, strict=True)):
        nearby.local.put(key, body)
        nearby.age(key, 1000 + at)
    one, other = Space(nearby.local, 1000), Space(nearby.local, 1000)
    assert one.trim() + other.trim() == 1100
    assert len(nearby.held()) == 9


def test_the_budget_is_kept_while_copies_come(tmp_path: Path) -> None:
    nearby = Nearby(tmp_path, budget=1000)
    for key, body in zip(KEYS, BODIES, strict=True):
        nearby.store.put(key, body)
        nearby.store.settle()
        assert len(nearby.held()) <= 11
    assert len(nearby.held()) >= 5
    for key, body in zip(KEYS, BODIES, strict=True):
        assert nearby.read(key, 100) == body
    nearby.close()

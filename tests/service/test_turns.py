from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from virtreg.errors import Overloaded
from virtreg.service.turns import Places, Turn, Turns, wait_turn


def at_once(threads: int, misses: int | None = None) -> Turns:
    """Where nobody waits for a place."""
    return Turns(threads, misses, patience=0.0)


@pytest.mark.parametrize(
    ("threads", "misses", "waiting", "slow"),
    [
        (256, None, 192, 224),
        (8, None, 6, 7),
        (1, None, 1, 1),
        (2, None, 1, 2),
        (256, 10, 10, 224),
        (256, 256, 256, 256),
    ],
)
def test_threads_are_left_for_what_is_quick(
    threads: int, misses: int | None, waiting: int, slow: int
) -> None:
    turns = Turns(threads, misses)
    assert (turns.misses.limit, turns.slow.limit) == (waiting, slow)


def test_no_more_may_wait_than_there_are_places() -> None:
    turns = at_once(8, 2)
    waiting = [turns.turn() for _ in range(2)]
    for turn in waiting:
        turn.wait()
    late = turns.turn()
    with pytest.raises(Overloaded, match="2 requests wait for upstreams already") as told:
        late.wait()
    assert told.value.status == 503
    assert told.value.retry_after is not None
    late.end()
    waiting[0].end()
    late.wait()
    assert turns.misses.taken == 2


def test_who_sends_what_is_large_leaves_fewer_places_to_wait() -> None:
    turns = at_once(8, 6)
    sending = [turns.turn() for _ in range(7)]
    for turn in sending:
        turn.send()
    for late in (Turn.send, Turn.wait):
        with pytest.raises(Overloaded, match="7 requests are being answered slowly"):
            late(turns.turn())
    assert turns.misses.taken == 0


def test_one_request_takes_one_place_however_often_it_waits() -> None:
    turns = at_once(8)
    turn = turns.turn()
    for _ in range(3):
        turn.wait()
        turn.send()
    assert (turns.misses.taken, turns.slow.taken) == (1, 1)
    for _ in range(2):
        turn.end()
        assert (turns.misses.taken, turns.slow.taken) == (0, 0)


def test_nothing_is_held_by_a_request_that_was_refused() -> None:
    turns = at_once(8, 1)
    first, second = turns.turn(), turns.turn()
    first.wait()
    with pytest.raises(Overloaded):
        second.wait()
    second.end()
    first.end()
    assert (turns.misses.taken, turns.slow.taken) == (0, 0)


def test_a_place_that_becomes_free_is_taken_by_who_waits_for_it() -> None:
    places = Places(1)
    assert places.take()
    asking = threading.Event()

    def ask() -> bool:
        asking.set()
        return places.take(patience=20)

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ask)
        assert asking.wait(20)
        places.give_back()
        assert waiting.result(20)


def test_the_turn_is_that_of_the_request_on_whatever_thread_it_goes_on() -> None:
    turns = at_once(8, 1)
    turn = turns.turn()
    with turn.running(), ThreadPoolExecutor(1) as threads:
        threads.submit(copy_context().run, wait_turn).result(20)
        wait_turn()
        assert turns.misses.taken == 1
    wait_turn()
    turn.end()
    assert turns.misses.taken == 0


@pytest.mark.parametrize("take", [Turn.wait, Turn.send], ids=["wait", "send"])
def test_one_address_leaves_places_for_others(take: Callable[[Turn], None]) -> None:
    turns = Turns(16, 12, patience=0.0)
    share = turns.misses.share if take is Turn.wait else turns.slow.share
    held = [turns.turn("192.0.2.1") for _ in range(share)]
    for turn in held:
        take(turn)
    with pytest.raises(Overloaded, match=f"{share} requests from one address"):
        take(turns.turn("192.0.2.1"))
    others = [turns.turn("198.51.100.1"), turns.turn("2001:db8::"), turns.turn()]
    for turn in others:
        take(turn)
    held[0].end()
    take(turns.turn("192.0.2.1"))


def test_callers_that_cannot_be_told_apart_have_all_places() -> None:
    turns = at_once(8, 6)
    for _ in range(6):
        turns.turn().wait()
    assert turns.misses.taken == 6


def test_who_has_had_their_share_does_not_take_the_call_of_who_may() -> None:
    places = Places(4)
    for address in ("one", "one", "one", "two"):
        assert places.take(address=address)
    begun = threading.Barrier(3)

    def ask(address: str, patience: float) -> bool:
        begun.wait(20)
        return places.take(patience, address)

    with ThreadPoolExecutor(2) as threads:
        sated = threads.submit(ask, "one", 0.2)
        other = threads.submit(ask, "two", 20)
        begun.wait(20)
        places.give_back("two")
        assert other.result(20)
        assert not sated.result(20)
    assert places.taken == 4

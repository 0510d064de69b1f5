"""Leaving alone an upstream that keeps failing."""

from __future__ import annotations

import pytest

from tests.service.hub import DAY, FILE, LARGE, SMALL, Hub, MakeHub, down, fake
from virtreg.errors import (
    NotFound,
    UpstreamBusy,
    UpstreamError,
    UpstreamThrottled,
    UpstreamUnavailable,
)

OTHER = "org/example/b/1.0/b-1.0.bin"


def error_of(hub: Hub, path: str = FILE) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        hub.get(path)
    return caught.value


def test_after_repeated_failures_it_is_left_alone_until_it_may_have_healed(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.fail(down())
    hub = make_hub(a)
    for _ in range(5):
        error_of(hub)
    asked = len(a.requests)
    error = error_of(hub)
    assert "failed repeatedly and is left alone for 5 s more" in error.message
    assert error.retry_after == 5
    assert len(a.requests) == asked
    a.heal()
    hub.clock.advance(5)
    assert hub.get(FILE).body == SMALL


@pytest.mark.parametrize(
    "trouble", [down(), UpstreamThrottled("429", upstream="a", retry_after=5)], ids=["down", "429"]
)
def test_a_clock_that_is_set_back_makes_no_pause_longer(
    make_hub: MakeHub, trouble: UpstreamError
) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.fail(trouble)
    hub = make_hub(a)
    for _ in range(5):
        error_of(hub)
    a.heal()
    hub.clock.advance(-DAY)
    assert error_of(hub).retry_after == 5
    hub.clock.advance(5)
    assert hub.get(FILE).body == SMALL


def test_one_that_answers_well_and_breaks_every_body_off_is_left_alone_too(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, LARGE, etag=None, cut_after=100)
    hub = make_hub(a)
    # Each download tries four times.
    for _ in range(2):
        error_of(hub)
    assert "failed repeatedly" in error_of(hub).message
    a.put(FILE, LARGE)
    hub.clock.advance(60)
    assert hub.get(FILE).body == LARGE
    a.put(OTHER, SMALL)
    a.fail(down(), OTHER)
    error_of(hub, OTHER)
    a.heal()
    assert hub.get(OTHER).body == SMALL


def test_a_trial_that_found_no_connection_free_is_the_next_ones(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.fail(down())
    hub = make_hub(a)
    for _ in range(5):
        error_of(hub)
    hub.clock.advance(5)
    a.fail(UpstreamBusy("all connections busy", upstream="a"))
    error_of(hub)
    a.heal()
    assert hub.get(FILE).body == SMALL


def test_one_that_is_still_down_is_tried_once_and_left_alone_for_longer(make_hub: MakeHub) -> None:
    a = fake("a")
    a.fail(down())
    hub = make_hub(a)
    for _ in range(5):
        error_of(hub)
    hub.clock.advance(5)
    assert error_of(hub).retry_after is None
    assert error_of(hub).retry_after == 10
    assert a.count(FILE) == 6


def test_a_pause_the_upstream_asks_for_is_kept(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.fail(UpstreamThrottled("429 Too Many Requests", upstream="a", retry_after=30))
    hub = make_hub(a)
    assert error_of(hub).retry_after == 30
    a.heal()
    hub.clock.advance(10)
    error = error_of(hub)
    assert isinstance(error, UpstreamThrottled)
    assert error.retry_after == 20
    assert a.count(FILE) == 1
    hub.clock.advance(20)
    assert hub.get(FILE).body == SMALL


def test_having_all_its_connections_taken_says_nothing_about_its_health(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.fail(UpstreamBusy("all 16 connections busy", upstream="a", retry_after=30))
    hub = make_hub(a)
    for _ in range(6):
        assert isinstance(error_of(hub), UpstreamBusy)
    a.heal()
    assert hub.get(FILE).body == SMALL


def test_one_left_alone_still_has_its_copies_served(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    a.fail(down())
    for _ in range(5):
        error_of(hub, OTHER)
    assert hub.get(FILE).origin == "hit"
    hub.clock.advance(24 * 3600 - 1)
    for _ in range(5):
        error_of(hub, OTHER)
    hub.clock.advance(1)
    asked = len(a.requests)
    assert hub.get(FILE).origin == "stale"
    assert len(a.requests) == asked


def test_an_absence_is_a_sign_of_health(make_hub: MakeHub) -> None:
    a = fake("a", negative_validity_seconds=0)
    hub = make_hub(a)
    for _ in range(3):
        a.fail(down())
        for _ in range(4):
            error_of(hub)
        a.heal()
        with pytest.raises(NotFound):
            hub.get(FILE)


def test_its_neighbours_are_asked_as_ever(make_hub: MakeHub) -> None:
    a, b = fake("a", on_error="continue"), fake("b")
    a.fail(down())
    b.put(FILE, SMALL)
    b.put(OTHER, LARGE)
    hub = make_hub(a, b)
    for number in range(5):
        with pytest.raises(UpstreamUnavailable):
            hub.get(f"org/example/c/{number}/c.bin")
    assert hub.get(FILE).body == SMALL
    assert hub.get(OTHER).body == LARGE
    assert a.count(FILE) == 0

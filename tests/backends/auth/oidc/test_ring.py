from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from attrs import define, field

from tests.backends.auth.oidc.provider import EC, RSA, public
from virtreg.backends.auth.oidc.keys import parse_keys
from virtreg.backends.auth.oidc.ring import KeyRing, Keys
from virtreg.backends.auth.unavailable import SignInUnavailable

OLD, NEW = ("old", "RS256"), ("new", "ES256")
_DOCUMENT = json.dumps({"keys": [public(RSA, "old"), public(EC, "new")]}).encode()
_KEYS = parse_keys(_DOCUMENT)


@define
class Source:
    """Where keys come from, with a clock."""

    names: tuple[tuple[str, str], ...] = (OLD,)
    away: bool = False
    fetched: int = 0
    now: float = 1000.0
    begun: Event = field(factory=Event)
    go: Event = field(factory=Event)

    def __attrs_post_init__(self) -> None:
        self.go.set()

    def fetch(self) -> Keys:
        self.fetched += 1
        self.begun.set()
        assert self.go.wait(20)
        if self.away:
            raise SignInUnavailable("away")
        return {name: _KEYS[name] for name in self.names}

    def ring(self) -> KeyRing:
        return KeyRing(self.fetch, lambda: self.now)


def test_keys_are_fetched_when_they_are_first_wanted_and_after_an_hour() -> None:
    source = Source()
    ring = source.ring()
    assert source.fetched == 0
    first = ring.current()
    source.now += 3599
    assert ring.current() is first
    assert source.fetched == 1
    source.now += 1
    source.names = (NEW,)
    assert list(ring.current()) == [NEW]
    assert source.fetched == 2


def test_an_unknown_name_is_asked_for_at_most_once_a_minute() -> None:
    source = Source()
    ring = source.ring()
    assert OLD in ring.current_with(OLD)
    source.names = (OLD, NEW)
    for _ in range(5):
        assert NEW not in ring.current_with(NEW)
    assert source.fetched == 1
    source.now += 60
    assert NEW in ring.current_with(NEW)
    for number in range(5):
        assert len(ring.current_with((f"made up {number}", "RS256"))) == 2
    assert source.fetched == 2


def test_keys_stay_good_for_a_day_while_their_issuer_is_away() -> None:
    source = Source()
    ring = source.ring()
    ring.current()
    source.away = True
    source.now += 86_399
    assert OLD in ring.current()
    assert source.fetched == 2
    source.now += 1
    with pytest.raises(SignInUnavailable):
        ring.current()
    source.away = False
    source.now += 60
    assert OLD in ring.current()


def test_without_keys_the_issuer_is_asked_again_after_five_seconds() -> None:
    source = Source(away=True)
    ring = source.ring()
    for _ in range(3):
        with pytest.raises(SignInUnavailable):
            ring.current_with(OLD)
    assert source.fetched == 1
    source.away = False
    source.now += 5
    assert OLD in ring.current_with(OLD)


def test_who_has_keys_does_not_wait_for_newer_ones() -> None:
    source = Source()
    ring = source.ring()
    ring.current()
    source.now += 3600
    source.go.clear()
    source.begun.clear()
    with ThreadPoolExecutor(1) as threads:
        renewal = threads.submit(ring.current)
        assert source.begun.wait(20)
        assert OLD in ring.current()
        source.go.set()
        assert OLD in renewal.result(20)
    assert source.fetched == 2


def test_many_threads_fetch_once() -> None:
    source = Source()
    source.go.clear()
    ring = source.ring()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ring.current_with, OLD) for _ in range(8)]
        assert source.begun.wait(20)
        source.go.set()
        assert all(OLD in task.result(20) for task in asked)
    assert source.fetched == 1

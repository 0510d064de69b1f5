"""Upstreams that keep a request waiting, though there is a copy it could have."""

from __future__ import annotations

import pytest

from tests.service.hub import DAY, FILE, SMALL, Background, Hub, MakeHub, fake
from virtreg.errors import Overloaded
from virtreg.events import Filled, Revalidated, ServedStale
from virtreg.service.turns import Turns
from virtreg.testing.fakes import FakeUpstream
from virtreg.testing.gate import Gate

IMPATIENT = 1.0
"""Seconds: enough for a thread to begin."""
METADATA = "org/example/a/maven-metadata.xml"
DOCUMENT = b"<metadata><groupId>org.example</groupId><artifactId>a</artifactId></metadata>"


def stale(make_hub: MakeHub, a: FakeUpstream, path: str = FILE, **options: object) -> Hub:
    """A hub with a copy of a path that is to be checked."""
    hub = make_hub(a, **options)
    hub.get(path)
    hub.flush()
    hub.clock.advance(DAY)
    return hub


def held(a: FakeUpstream, path: str, body: bytes, hold: Gate, **how: object) -> None:
    a.put(path, body, hold=hold, **how)  # type: ignore[arg-type]


def test_the_copy_is_served_when_the_upstream_takes_too_long(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL, etag='"1"')
    hub = stale(make_hub, a, patience=IMPATIENT)
    hold = Gate()
    held(a, FILE, SMALL, hold, etag='"1"')
    resolved = hub.resolve(FILE)
    with resolved.body:
        assert (resolved.origin, b"".join(resolved.body.read())) == ("stale", SMALL)
    assert "no answer in 1 s" in resolved.warning
    assert resolved.expires_at > hub.clock()
    assert len(hub.events.of(ServedStale, FILE)) == 1
    hold.release()
    hub.events.wait(Revalidated, FILE)


def test_who_comes_while_the_upstream_is_still_silent_gets_the_copy_at_once(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, SMALL, etag='"1"')
    hub = stale(make_hub, a, patience=20.0)
    hold = Gate()
    held(a, FILE, SMALL, hold, etag='"1"')
    first = Background(lambda: hub.get(FILE))
    hold.await_arrival()
    hub.works.suspects.remember(a.spec.key, FILE, hub.clock(), 60)
    asked = len(a.requests)
    for _ in range(3):
        assert hub.get(FILE).origin == "stale"
    assert len(a.requests) == asked
    hold.release()
    assert first.result().origin == "revalidated"


def test_what_arrives_late_is_kept_for_the_next(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = stale(make_hub, a, patience=IMPATIENT)
    hold = Gate()
    held(a, FILE, b"new", hold)
    assert hub.get(FILE).body == SMALL
    hold.release()
    hub.events.wait(Filled, FILE, 2)
    assert hub.get(FILE).body == b"new"


def test_without_a_copy_the_upstream_is_waited_for(make_hub: MakeHub) -> None:
    a = fake("a")
    hold = Gate()
    held(a, FILE, SMALL, hold)
    hub = make_hub(a, patience=0.0)
    waiting = Background(lambda: hub.get(FILE))
    hold.await_arrival()
    hold.release()
    assert waiting.result().body == SMALL


def test_a_list_is_served_as_it_was(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(METADATA, DOCUMENT)
    hub = stale(make_hub, a, METADATA, patience=IMPATIENT)
    hold = Gate()
    held(a, METADATA, DOCUMENT, hold)
    got = hub.get(METADATA)
    assert (got.origin, got.body) == ("stale", DOCUMENT)
    hold.release()


def test_the_copy_is_served_where_no_more_may_wait(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL, etag='"1"')
    hub = stale(make_hub, a)
    turns = Turns(8, 1, patience=0.0)
    turns.turn().wait()
    turn = turns.turn()
    asked = len(a.requests)
    with turn.running():
        got = hub.get(FILE)
        with pytest.raises(Overloaded):
            hub.get("org/example/b/1.0/b-1.0.bin")
    assert (got.origin, got.body) == ("stale", SMALL)
    assert len(a.requests) == asked
    turn.end()


def test_one_request_holds_one_place_and_what_is_cached_none(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    turns = Turns(8, 1, patience=0.0)
    turn = turns.turn()
    with turn.running():
        hub.pull(FILE)
        assert turns.misses.taken == 1
    turn.end()
    hit = turns.turn()
    with hit.running():
        assert hub.get(FILE).origin == "hit"
        assert turns.misses.taken == 0
    hit.end()

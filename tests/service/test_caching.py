"""Which upstream is asked, who answers, and what needs no upstream at all."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.service.hub import DAY, FILE, LARGE, OTHER, SMALL, Background, MakeHub, down, fake
from virtreg.core.layout import blob_key
from virtreg.errors import IntegrityError
from virtreg.events import Filled, Purged
from virtreg.model import Algorithm, Route
from virtreg.testing.gate import Gate

BODIES = pytest.mark.parametrize("body", [b"", SMALL, LARGE], ids=["empty", "small", "large"])


@BODIES
def test_what_was_pulled_once_is_served_without_the_network(make_hub: MakeHub, body: bytes) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    first = hub.pull(FILE)
    asked = len(a.requests)
    second = hub.get(FILE)
    assert (first.origin, second.origin) == ("miss", "hit")
    assert first.body == second.body == body
    assert len(a.requests) == asked
    assert second.expires_at == hub.clock() + DAY


def test_a_hit_tells_all_four_digests_and_the_upstreams_own_facts(make_hub: MakeHub) -> None:
    a = fake("a")
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    a.put(FILE, SMALL, headers={"content-type": "text/x", "last-modified": date})
    hub = make_hub(a)
    cold = hub.pull(FILE).representation
    warm = hub.get(FILE).representation
    assert warm == cold
    assert set(warm.digests) == set(Algorithm)
    assert (warm.size, warm.content_type, warm.last_modified) == (len(SMALL), "text/x", date)


def test_a_download_is_told_with_its_upstream_and_size(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a)
    hub.pull(FILE)
    assert hub.events.of(Filled) == [Filled("all", FILE, "a", len(LARGE), 0.0)]


def test_the_best_upstream_that_has_it_answers_a_cold_path(make_hub: MakeHub) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    b.put(FILE, b"from b")
    c.put(FILE, b"from c")
    hub = make_hub(a, b, c)
    assert hub.pull(FILE).body == b"from b"
    assert hub.entry(b, FILE) is not None
    assert hub.entry(c, FILE) is None


def test_a_copy_of_a_worse_position_beats_a_better_one_that_is_not_cached(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, b"from b")
    hub = make_hub(a, b)
    hub.pull(FILE)
    a.put(FILE, b"from a")
    hub.clock.advance(301)
    asked = len(a.requests)
    got = hub.get(FILE)
    assert (got.origin, got.body) == ("hit", b"from b")
    assert len(a.requests) == asked


def test_strict_asks_a_better_position_before_serving_a_worse_ones_copy(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, b"from b")
    hub = make_hub(a, b, order="strict")
    assert hub.pull(FILE).body == b"from b"
    a.put(FILE, b"from a")
    assert hub.pull(FILE).body == b"from b"  # the absence in a is still believed
    hub.clock.advance(301)
    assert hub.pull(FILE).body == b"from a"


@BODIES
def test_the_order_decides_however_fast_the_worse_position_answers(
    make_hub: MakeHub, body: bytes
) -> None:
    quick, slow = Gate(), Gate()
    a, b = fake("a"), fake("b")
    a.put(FILE, b"a" + body, hold=slow)
    b.put(FILE, b"b" + body, hold=quick)
    hub = make_hub(a, b)
    asking = Background(lambda: hub.pull(FILE))
    quick.await_arrival()
    slow.await_arrival()
    quick.release()
    slow.release()
    assert asking.result().body == b"a" + body
    assert hub.entry(b, FILE) is None


def test_twenty_upstreams_are_asked_at_once_when_nothing_is_known(make_hub: MakeHub) -> None:
    gate = Gate()
    upstreams = [fake(f"u{number}") for number in range(20)]
    for number, upstream in enumerate(upstreams):
        upstream.put(FILE, b"%d" % number, hold=gate)
    hub = make_hub(*upstreams)
    asking = Background(lambda: hub.get(FILE))
    for _ in upstreams:
        gate.await_arrival()
    gate.release()
    assert asking.result().body == b"0"


def test_nobody_below_the_upstream_that_had_the_neighbours_is_asked(make_hub: MakeHub) -> None:
    upstreams = [fake(f"u{number}") for number in range(20)]
    upstreams[7].put(FILE, b"one")
    upstreams[7].put(OTHER, b"two")
    hub = make_hub(*upstreams)
    hub.pull(FILE)
    assert hub.pull(OTHER).body == b"two"
    asked = [upstream.count(OTHER) for upstream in upstreams]
    assert asked == [1] * 8 + [0] * 12


def test_a_wrong_guess_of_the_owner_hides_nothing(make_hub: MakeHub) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    a.put(FILE, b"one")
    c.put(OTHER, b"two")
    hub = make_hub(a, b, c)
    hub.pull(FILE)
    assert hub.get(OTHER).body == b"two"


@BODIES
def test_a_blob_that_vanished_from_the_store_is_fetched_again(
    make_hub: MakeHub, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    hub.pull(FILE)
    entry = hub.entry(a, FILE)
    assert entry is not None
    hub.store.delete(blob_key(entry.sha256))
    healed = hub.pull(FILE)
    assert (healed.origin, healed.body) == ("miss", body)
    assert hub.get(FILE).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_blob_that_was_cut_short_in_the_store_is_fetched_again(
    make_hub: MakeHub, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    hub.pull(FILE)
    entry = hub.entry(a, FILE)
    assert entry is not None
    os.truncate(hub.folder / "store" / blob_key(entry.sha256), len(body) // 2)
    assert hub.pull(FILE).body == body
    assert hub.get(FILE).origin == "hit"
    assert a.count(FILE) == 2


def test_an_entry_outlives_the_bytes_it_had_before_it_was_replaced(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    before = hub.entry(a, FILE)
    assert before is not None
    a.put(FILE, LARGE)
    hub.clock.advance(DAY)
    hub.pull(FILE)
    hub.store.delete(blob_key(before.sha256))
    assert hub.works.open(hub.route(FILE), before, "hit", 0) is None
    assert hub.get(FILE).body == LARGE
    assert a.count(FILE) == 2


def test_a_vanished_blob_of_a_stale_entry_is_fetched_whole(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    entry = hub.entry(a, FILE)
    assert entry is not None
    hub.store.delete(blob_key(entry.sha256))
    hub.clock.advance(2 * DAY)
    assert hub.get(FILE).body == SMALL


def test_purging_forgets_the_copy(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, b"old")
    hub = make_hub(a)
    hub.pull(FILE)
    a.put(FILE, b"new")
    assert hub.registry.purge(FILE) == 1
    assert hub.registry.purge(FILE) == 0
    assert hub.get(FILE).body == b"new"
    assert hub.events.of(Purged) == [Purged("all", FILE)] * 2


def test_the_same_bytes_from_two_upstreams_are_kept_once(make_hub: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    a.put(FILE, SMALL)
    b.put(OTHER, SMALL)
    hub = make_hub(a, b)
    hub.pull(FILE)
    hub.pull(OTHER)
    assert len(hub.blobs()) == 1


def test_a_body_whose_path_names_its_digest_may_come_from_below_a_broken_upstream(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    a.fail(down())
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    fixed = Route(FILE, digest=(Algorithm.SHA256, hashlib.sha256(SMALL).hexdigest()))
    assert hub.pull(fixed).body == SMALL


def test_a_body_that_is_not_what_its_path_names_is_refused(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    with pytest.raises(IntegrityError, match="claims 0000"):
        hub.get(Route(FILE, digest=(Algorithm.SHA256, "0" * 64)))
    assert hub.blobs() == set()

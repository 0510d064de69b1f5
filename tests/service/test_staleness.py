"""Copies past their validity."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.service.hub import DAY, FILE, HOUR, LARGE, SMALL, MakeHub, down, fake
from virtreg.core.layout import blob_key
from virtreg.errors import IntegrityError, NotFound, UpstreamUnavailable
from virtreg.events import FillFailed, Revalidated, ServedStale
from virtreg.model import Freshness, Route, Validators

METADATA = "org/example/a/maven-metadata.xml"
SNAPSHOT = "org/example/a/1.0-SNAPSHOT/a-1.0-SNAPSHOT.bin"
DEPLOYED = "org/example/a/1.0-SNAPSHOT/a-1.0-20240102.030405-1.bin"
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def test_a_copy_that_the_upstream_still_has_is_served_on_without_its_body(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, SMALL, etag='"1"')
    hub = make_hub(a)
    hub.pull(FILE)
    hub.clock.advance(DAY)
    got = hub.get(FILE)
    assert (got.origin, got.body) == ("revalidated", SMALL)
    assert [reply.status for reply in a.replies if reply.status != 404] == [200, 304]
    assert hub.events.of(Revalidated) == [Revalidated("all", FILE, "a", changed=False)]
    assert got.expires_at == hub.clock() + DAY
    hub.clock.advance(DAY - 1)
    assert hub.get(FILE).origin == "hit"


@pytest.mark.parametrize("path", [FILE, METADATA])
def test_a_check_that_the_index_cannot_remember_is_good_for_its_answer(
    make_hub: MakeHub, path: str
) -> None:
    a = fake("a")
    a.put(path, b"<metadata/>")
    hub = make_hub(a)
    cold = hub.get(path)
    hub.flush()
    with closing(sqlite3.connect(hub.folder / "index" / "index.sqlite")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON entries "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    for _ in range(2):
        hub.clock.advance(DAY)
        got = hub.get(path)
        assert (got.origin, got.body) == ("revalidated", cold.body)


def test_the_question_carries_both_validators_as_they_came(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL, etag='W/"x"', headers={"last-modified": DATE})
    hub = make_hub(a)
    hub.pull(FILE)
    hub.clock.advance(DAY)
    hub.get(FILE)
    assert a.requests[-1].known == Validators('W/"x"', DATE)


def test_a_date_alone_is_a_validator_too(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL, etag=None, headers={"last-modified": DATE})
    hub = make_hub(a)
    hub.pull(FILE)
    hub.clock.advance(DAY)
    hub.pull(FILE)
    assert [asked.known for asked in a.requests if asked.path == FILE][-1] == Validators(None, DATE)


@pytest.mark.parametrize("new", [b"new", LARGE], ids=["small", "large"])
def test_a_changed_file_replaces_the_copy_and_whoever_reads_the_old_one_keeps_it(
    make_hub: MakeHub, new: bytes
) -> None:
    a = fake("a")
    old = LARGE[::-1]
    a.put(SNAPSHOT, old)
    hub = make_hub(a)
    hub.pull(SNAPSHOT)
    with hub.resolve(SNAPSHOT).body as reader:
        reading = reader.read()
        first = next(reading)
        a.put(SNAPSHOT, new)
        hub.clock.advance(DAY)
        assert hub.pull(SNAPSHOT).body == new
        before = hub.entry(a, SNAPSHOT)
        assert before is not None
        assert before.size == len(new)
        assert first + b"".join(reading) == old
    assert hub.get(SNAPSHOT).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_copy_whose_upstream_is_down_is_served_stale(make_hub: MakeHub, body: bytes) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    hub.pull(FILE)
    a.fail(down())
    hub.clock.advance(DAY)
    got = hub.get(FILE)
    assert (got.origin, got.body) == ("stale", body)
    assert hub.events.of(ServedStale) == [ServedStale("all", FILE, "a", "a is down")]
    assert got.expires_at < hub.clock() + 60
    a.heal()
    assert hub.get(FILE).origin == "revalidated"


def test_a_copy_is_served_stale_when_what_replaces_it_is_unusable(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(SNAPSHOT, b"good")
    hub = make_hub(a)
    hub.pull(SNAPSHOT)
    a.put(SNAPSHOT, b"<html>Please sign in</html>")
    hub.clock.advance(DAY)
    got = hub.get(SNAPSHOT)
    assert (got.origin, got.body) == ("stale", b"good")
    entry = hub.entry(a, SNAPSHOT)
    assert entry is not None
    assert entry.checked_at == hub.clock() - DAY


def test_a_copy_is_served_after_a_large_replacement_turned_out_corrupt(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    hub.clock.advance(DAY)
    a.put(FILE, LARGE, headers={"x-checksum-sha1": "0" * 40})
    with pytest.raises(IntegrityError):
        hub.get(FILE)
    hub.events.wait(FillFailed, FILE)
    asked = a.count(FILE)
    assert (hub.get(FILE).origin, hub.get(FILE).body) == ("stale", SMALL)
    assert a.count(FILE) == asked
    a.put(FILE, LARGE)
    hub.clock.advance(60)
    assert hub.get(FILE).body == LARGE


def test_a_stale_copy_stays_when_its_upstream_no_longer_has_it(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    a.remove(FILE)
    hub.clock.advance(DAY)
    assert hub.get(FILE).body == SMALL
    assert hub.get(FILE).origin == "hit"


def test_a_stale_copy_goes_with_the_upstreams_where_that_is_wanted(make_hub: MakeHub) -> None:
    a = fake("a", on_missing="drop")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    a.remove(FILE)
    hub.clock.advance(DAY)
    with pytest.raises(NotFound):
        hub.get(FILE)
    assert hub.entry(a, FILE) is None


def test_when_a_copy_goes_the_next_cached_one_answers(make_hub: MakeHub) -> None:
    a, b = fake("a", on_missing="drop"), fake("b", cache_validity_hours=0)
    b.put(FILE, b"from b")
    hub = make_hub(a, b, order="strict")
    hub.pull(FILE)
    hub.clock.advance(301)
    a.put(FILE, b"from a")
    hub.pull(FILE)
    a.remove(FILE)
    b.fail(down("b"))
    hub.clock.advance(DAY)
    assert hub.get(FILE).body == b"from b"


@pytest.mark.parametrize(
    ("path", "settings", "age"),
    [
        pytest.param(DEPLOYED, {}, 10_000 * DAY, id="immutable"),
        pytest.param(FILE, {"cache_validity_hours": 0}, 10_000 * DAY, id="checks turned off"),
        pytest.param(FILE, {"cache_validity_hours": 2}, 2 * HOUR - 1, id="within its validity"),
        pytest.param(SNAPSHOT, {"cache_validity_hours": 0}, DAY - 1, id="metadata validity"),
    ],
)
def test_what_is_fresh_is_not_asked_about(
    make_hub: MakeHub, path: str, settings: dict[str, float], age: float
) -> None:
    a = fake("a", **settings)
    a.put(path, SMALL)
    hub = make_hub(a)
    hub.pull(path)
    a.fail(down())
    hub.clock.advance(age)
    assert hub.get(path).origin == "hit"


@pytest.mark.parametrize(
    ("path", "settings", "age"),
    [
        pytest.param(FILE, {"cache_validity_hours": 2}, 2 * HOUR, id="its validity over"),
        pytest.param(SNAPSHOT, {"metadata_cache_validity_hours": 0}, 0, id="each time"),
    ],
)
def test_what_is_not_fresh_is_asked_about(
    make_hub: MakeHub, path: str, settings: dict[str, float], age: float
) -> None:
    a = fake("a", **settings)
    a.put(path, SMALL)
    hub = make_hub(a)
    hub.pull(path)
    hub.clock.advance(age)
    assert hub.get(path).origin == "revalidated"


def test_a_stale_copy_without_its_blob_is_no_copy(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    hub.pull(FILE)
    entry = hub.entry(a, FILE)
    assert entry is not None
    hub.store.delete(blob_key(entry.sha256))
    a.fail(down())
    hub.clock.advance(DAY)
    with pytest.raises(UpstreamUnavailable):
        hub.get(FILE)


def test_stale_is_served_even_from_below_a_better_position_that_lacks_it(
    make_hub: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    b.put(FILE, SMALL)
    hub = make_hub(a, b)
    hub.pull(FILE)
    a.fail(down())
    b.fail(down("b"))
    hub.clock.advance(DAY)
    assert hub.get(Route(FILE, Freshness.ARTIFACT)).origin == "stale"

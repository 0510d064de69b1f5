"""Releases that are not taken before they have been out for a while."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest
from attrs import evolve

from tests.service.hub import DAY, FILE, HOUR, LARGE, SMALL, Hub, MakeHub, fake
from virtreg.errors import Barred, NotFound
from virtreg.testing.fakes import FakeUpstream

NOW = 1_700_000_000.0
"""When hubs begin."""
WEEK = 7 * DAY
SNAPSHOT = "org/example/a/1.0-SNAPSHOT/a-1.0-20240131.120000-7.bin"


def cautious(name: str, **settings: Any) -> FakeUpstream:
    return fake(name, minimum_release_age_hours=168, **settings)


def release(upstream: FakeUpstream, path: str, body: bytes, age: float) -> None:
    """Published that many seconds before hubs begin."""
    date = formatdate(NOW - age, usegmt=True)
    upstream.put(path, body, headers={"last-modified": date})


def test_a_young_release_is_not_taken_and_its_body_not_read(make_hub: MakeHub) -> None:
    a = cautious("a")
    release(a, FILE, LARGE, 3 * HOUR)
    hub = make_hub(a)
    with pytest.raises(Barred) as caught:
        hub.get(FILE)
    (answer,) = caught.value.answers
    assert answer.outcome == "denied"
    assert answer.detail == "released 3 h ago; taken from 2023-11-21T19:13:20Z"
    assert a.replies[0].closed
    assert a.replies[0].read(1) == LARGE[:1], "nothing was read before"
    assert hub.blobs() == set()


def test_it_is_taken_once_it_is_old_enough(make_hub: MakeHub) -> None:
    a = cautious("a")
    release(a, FILE, SMALL, 3 * HOUR)
    hub = make_hub(a)
    with pytest.raises(Barred):
        hub.get(FILE)
    hub.clock.advance(WEEK - 3 * HOUR)
    assert hub.pull(FILE).body == SMALL
    assert hub.get(FILE).origin == "hit"


def test_another_upstream_may_answer_in_its_place(make_hub: MakeHub) -> None:
    a, b = cautious("a"), fake("b")
    release(a, FILE, b"young", HOUR)
    b.put(FILE, b"undated")
    assert make_hub(a, b).get(FILE).body == b"undated"


def test_where_others_do_not_have_it_the_reason_is_told(make_hub: MakeHub) -> None:
    a, b = cautious("a"), fake("b")
    release(a, FILE, b"young", HOUR)
    hub = make_hub(a, b)
    for _ in range(2):
        with pytest.raises(NotFound, match="a: released 1 h ago; taken from") as caught:
            hub.get(FILE)
        assert caught.value.expires_at == 0, "it may be old enough at any moment"


def test_a_release_without_a_date_is_not_taken(make_hub: MakeHub) -> None:
    a = cautious("a")
    a.put(FILE, SMALL)
    with pytest.raises(Barred, match="not dated by the upstream"):
        make_hub(a).get(FILE)


@pytest.mark.parametrize("path", [SNAPSHOT, "org/example/a/maven-metadata.xml"])
def test_snapshots_and_metadata_are_taken_whatever_their_age(make_hub: MakeHub, path: str) -> None:
    a = cautious("a")
    document = b"<metadata><versioning><latest>1</latest></versioning></metadata>"
    release(a, path, document, 0)
    hub = make_hub(a)
    assert [hub.pull(path).body for _ in range(2)] == [document] * 2
    assert a.count(path) == 1


@pytest.mark.parametrize("age", [HOUR, None])
def test_a_cached_release_that_is_too_young_or_undated_is_not_served(
    make_hub: MakeHub, age: float | None
) -> None:
    a = fake("a")
    if age is None:
        a.put(FILE, SMALL)
    else:
        release(a, FILE, SMALL, age)
    make_hub(a).pull(FILE)
    careful = FakeUpstream(spec=evolve(a.spec, minimum_release_age_hours=168))
    with pytest.raises(Barred):
        make_hub(careful).get(FILE)
    assert careful.requests == []


@pytest.mark.parametrize("on_missing", ["keep", "drop"])
def test_of_a_replaced_release_the_old_copy_is_served_until_the_new_one_is_old_enough(
    make_hub: MakeHub, on_missing: str
) -> None:
    a = cautious("a", on_missing=on_missing)
    release(a, FILE, b"old", 2 * WEEK)
    hub = make_hub(a)
    hub.pull(FILE)
    release(a, FILE, b"replaced", -2 * DAY)
    hub.clock.advance(3 * DAY)
    assert hub.get(FILE).body == b"old"
    hub.clock.advance(WEEK)
    assert hub.get(FILE).body == b"replaced"


def test_a_release_costs_one_question_however_often_its_copy_is_served(make_hub: MakeHub) -> None:
    a = cautious("a")
    release(a, FILE, SMALL, 2 * WEEK)
    hub: Hub = make_hub(a)
    hub.pull(FILE)
    assert [hub.get(FILE).origin for _ in range(3)] == ["hit"] * 3
    assert a.count(FILE) == 1

"""Names that move, where an upstream or the cache does less than it should."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.service.hub import DAY, LARGE, Background, Hub, MakeHub, down, fake
from tests.service.images import MANIFEST, digest_of, manifest, put_blob, put_manifest
from virtreg.errors import NotFound
from virtreg.events import Filled
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Fetch
from virtreg.testing.fakes import FakeReply, FakeUpstream
from virtreg.testing.gate import Gate

TAG = "app/manifests/latest"
ONE, TWO = manifest("one"), manifest("two")


@pytest.fixture
def hub_of(make_hub: MakeHub) -> MakeHub:
    def make(*upstreams: FakeUpstream, **options: Any) -> Hub:
        return make_hub(*upstreams, format=ContainerFormat(), **options)

    return make


class Dated(FakeUpstream):
    """Goes by dates alone, and takes an older body for one that did not change (RFC 9110,
    13.1.3). Its HEAD does not tell digests."""

    def fetch(self, request: Fetch) -> FakeReply:
        reply = super().fetch(request)
        if request.known is None or request.known.last_modified is None or reply.status != 200:
            return reply
        reply.close()
        return FakeReply(304, {}, 0)


def test_a_tag_that_goes_back_to_an_older_body_is_not_taken_for_unchanged(
    hub_of: MakeHub,
) -> None:
    a = Dated(spec=fake("a").spec)
    headers = {"content-type": MANIFEST, "last-modified": "Sat, 02 Jan 2021 00:00:00 GMT"}
    a.put(f"v2/{TAG}", TWO, etag=None, headers=headers)
    hub = hub_of(a)
    assert hub.pull(TAG).body == TWO
    headers["last-modified"] = "Fri, 01 Jan 2021 00:00:00 GMT"
    a.put(f"v2/{TAG}", ONE, etag=None, headers=headers)
    hub.clock.advance(DAY)
    assert hub.pull(TAG).body == ONE


def test_a_tag_that_its_upstream_does_not_serve_by_digest_needs_no_other_upstream(
    hub_of: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    digest = put_manifest(a, "app", ONE, "latest")
    a.remove(f"v2/app/manifests/{digest}")
    b.fail(down("b"))
    assert hub_of(a, b).pull(TAG).body == ONE


def test_held_bytes_are_served_though_the_index_takes_no_row(hub_of: MakeHub) -> None:
    a = fake("a")
    one, two = put_blob(a, "one", LARGE), put_blob(a, "two", LARGE)
    hub = hub_of(a)
    hub.pull(one)
    with closing(sqlite3.connect(hub.folder / "index" / "index.sqlite")) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON entries "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    got = hub.get(two)
    assert (got.body, got.origin) == (LARGE, "revalidated")
    assert hub.entry(a, two) is None


def test_a_digest_that_was_absent_a_moment_ago_is_found_once_a_tag_leads_there(
    hub_of: MakeHub,
) -> None:
    a = fake("a")
    hub = hub_of(a)
    path = f"app/manifests/{digest_of(ONE)}"
    with pytest.raises(NotFound):
        hub.get(path)
    put_manifest(a, "app", ONE, "latest")
    assert hub.pull(TAG).body == ONE
    # Or whoever keeps answers ready would go on to say that it is absent.
    assert [event.size for event in hub.events.of(Filled, path)] == [len(ONE)]
    assert hub.get(path).origin == "hit"


def test_a_tag_is_as_old_as_the_word_of_its_upstream_however_slow_the_body_is(
    hub_of: MakeHub,
) -> None:
    a = fake("a")
    digest = put_manifest(a, "app", ONE, "latest")
    hold = Gate()
    a.put(f"v2/app/manifests/{digest}", ONE, hold=hold, headers={"content-type": MANIFEST})
    hub = hub_of(a)
    asked_at = hub.clock()
    pulling = Background(lambda: hub.pull(TAG))
    hold.await_arrival()
    hub.clock.advance(100)
    hold.release()
    assert pulling.result().body == ONE
    entry = hub.entry(a, TAG)
    assert entry is not None
    assert entry.checked_at == asked_at

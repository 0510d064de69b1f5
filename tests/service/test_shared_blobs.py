"""One store for all, and a permission for each: who gets bytes that are held already."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.hub import LARGE, SMALL, Hub, MakeHub, fake
from tests.service.images import asked, digest_of, manifest, put_blob, put_manifest
from virtreg.core.layout import blob_key
from virtreg.errors import IntegrityError, NotFound
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.testing.fakes import FakeUpstream


@pytest.fixture
def hub_of(make_hub: MakeHub) -> MakeHub:
    def make(*upstreams: FakeUpstream, **options: Any) -> Hub:
        return make_hub(*upstreams, format=ContainerFormat(), **options)

    return make


def test_another_repository_of_the_upstream_gets_held_bytes_for_a_head(hub_of: MakeHub) -> None:
    a = fake("a")
    one, two = put_blob(a, "one", LARGE), put_blob(a, "two", LARGE)
    hub = hub_of(a)
    hub.pull(one)
    got = hub.get(two)
    assert (got.body, got.origin) == (LARGE, "revalidated")
    assert asked(a) == [f"GET {one}", f"HEAD {two}"]
    assert hub.get(two).origin == "hit"


def test_a_repository_that_does_not_have_the_blob_is_told_nothing_of_it(hub_of: MakeHub) -> None:
    a = fake("a")
    one = put_blob(a, "one", LARGE)
    hub = hub_of(a)
    hub.pull(one)
    with pytest.raises(NotFound):
        hub.get(f"two/blobs/{digest_of(LARGE)}")


def test_what_another_upstream_sent_is_fetched_again_and_stored_once(hub_of: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    one, two = put_blob(a, "one", LARGE), put_blob(b, "two", LARGE)
    hub = hub_of(a, b)
    hub.pull(one)
    assert hub.pull(two).body == LARGE
    assert f"GET {two}" in asked(b)
    assert len(hub.blobs()) == 1


def test_a_head_with_another_length_is_not_believed(hub_of: MakeHub) -> None:
    a = fake("a")
    one = put_blob(a, "one", LARGE)
    two = f"two/blobs/{digest_of(LARGE)}"
    a.put(f"v2/{two}", SMALL)
    hub = hub_of(a)
    hub.pull(one)
    with pytest.raises(IntegrityError):
        hub.get(two)


def test_held_bytes_that_vanished_are_fetched_again(hub_of: MakeHub) -> None:
    a = fake("a")
    one, two = put_blob(a, "one", LARGE), put_blob(a, "two", LARGE)
    hub = hub_of(a)
    hub.pull(one)
    hub.store.delete(blob_key(digest_of(LARGE).removeprefix("sha256:")))
    assert hub.pull(two).body == LARGE
    assert asked(a)[1:] == [f"HEAD {two}", f"GET {two}"]


def test_the_blobs_of_an_image_are_asked_for_where_its_manifest_came_from(
    hub_of: MakeHub,
) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    put_manifest(b, "app", manifest("app"), "1")
    blob = put_blob(b, "app", LARGE)
    hub = hub_of(a, b, c)
    hub.pull("app/manifests/1")
    before = len(a.requests), len(c.requests)
    assert hub.pull(blob).body == LARGE
    assert (len(a.requests), len(c.requests)) == before


def test_a_blob_that_is_not_where_its_manifest_came_from_is_found_elsewhere(
    hub_of: MakeHub,
) -> None:
    a, b, c = fake("a"), fake("b"), fake("c")
    put_manifest(b, "app", manifest("app"), "1")
    blob = put_blob(c, "app", LARGE)
    hub = hub_of(a, b, c)
    hub.pull("app/manifests/1")
    assert hub.pull(blob).body == LARGE

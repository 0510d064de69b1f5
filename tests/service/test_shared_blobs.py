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


def test_a_name_never_lends_an_upstream_the_bytes_of_another(hub_of: MakeHub) -> None:
    """What is kept for an upstream may be served where it is the only one."""
    private, liar = fake("private"), fake("liar")
    digest = put_manifest(private, "app", manifest("private"), "1")
    hub = hub_of(private, liar)
    hub.pull(f"app/manifests/{digest}")
    liar.put("v2/app/manifests/mine", b"{}", headers={"docker-content-digest": digest}, etag=None)
    with pytest.raises(IntegrityError):
        hub.get("app/manifests/mine")
    hub.flush()
    assert hub.entry(liar, "app/manifests/mine") is None
    assert hub.entry(liar, f"app/manifests/{digest}") is None


def test_a_name_of_one_upstream_whose_body_another_gave_is_fetched_by_that_name(
    hub_of: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    digest = put_manifest(a, "app", manifest("app"), "1")
    put_manifest(b, "app", manifest("app"), "2")
    hub = hub_of(a, b)
    hub.pull(f"app/manifests/{digest}")
    assert hub.pull("app/manifests/2").body == manifest("app")
    assert {"HEAD app/manifests/2", "GET app/manifests/2"} <= set(asked(b))


def test_a_head_that_tells_neither_length_nor_digest_vouches_for_nothing(hub_of: MakeHub) -> None:
    """A page to sign in at is answered with 200 too."""
    a = fake("a")
    one = put_blob(a, "one", LARGE)
    two = f"two/blobs/{digest_of(LARGE)}"
    a.put(f"v2/{two}", b"<html>sign in</html>", sized=False)
    hub = hub_of(a)
    hub.pull(one)
    with pytest.raises(IntegrityError):
        hub.get(two)


def test_a_head_that_tells_the_digest_need_not_tell_the_length(hub_of: MakeHub) -> None:
    a = fake("a")
    one = put_blob(a, "one", LARGE)
    two = f"two/blobs/{digest_of(LARGE)}"
    named = {"docker-content-digest": digest_of(LARGE)}
    a.put(f"v2/{two}", LARGE, sized=False, headers=named)
    hub = hub_of(a)
    hub.pull(one)
    assert hub.get(two).origin == "revalidated"
    assert asked(a) == [f"GET {one}", f"HEAD {two}"]


def test_a_head_that_tells_another_digest_is_not_believed(hub_of: MakeHub) -> None:
    a = fake("a")
    one = put_blob(a, "one", LARGE)
    two = f"two/blobs/{digest_of(LARGE)}"
    a.put(f"v2/{two}", LARGE, headers={"docker-content-digest": digest_of(SMALL)})
    hub = hub_of(a)
    hub.pull(one)
    assert hub.pull(two).body == LARGE
    assert asked(a)[1:] == [f"HEAD {two}", f"GET {two}"]

"""What HEAD gets of a body that is not cached, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.hub import FILE, LARGE, SMALL, Background, Hub, MakeHub, down, fake
from tests.service.images import asked, digest_of, manifest, put_blob, put_manifest
from virtreg.errors import IntegrityError, NotFound, UpstreamUnavailable
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.service.resolution import Resolved
from virtreg.testing.fakes import FakeUpstream
from virtreg.testing.gate import Gate


@pytest.fixture
def hub_of(make_hub: MakeHub) -> MakeHub:
    def make(*upstreams: FakeUpstream, **options: Any) -> Hub:
        return make_hub(*upstreams, format=ContainerFormat(), **options)

    return make


def describe(hub: Hub, path: str) -> Resolved:
    resolved = hub.registry.describe(hub.route(path))
    resolved.body.close()
    return resolved


def test_a_blob_is_described_by_its_upstream_without_a_byte_of_it(hub_of: MakeHub) -> None:
    a, b = fake("a"), fake("b")
    blob = put_blob(b, "app", LARGE)
    hub = hub_of(a, b)
    resolved = describe(hub, blob)
    assert resolved.representation.size == len(LARGE)
    assert resolved.body.size == len(LARGE)
    assert [hub.route(blob).digest] == list(resolved.representation.digests.items())
    assert asked(b) == [f"HEAD {blob}"]
    assert hub.get(blob).body == LARGE


def test_a_held_blob_is_described_without_asking(hub_of: MakeHub) -> None:
    a = fake("a")
    blob = put_blob(a, "app", LARGE)
    hub = hub_of(a)
    hub.pull(blob)
    assert describe(hub, blob).origin == "hit"
    assert asked(a) == [f"GET {blob}"]


@pytest.mark.parametrize("quirk", [{"head": False}, {"sized": False}], ids=["404", "no length"])
def test_where_head_does_not_tell_get_does(hub_of: MakeHub, quirk: dict[str, Any]) -> None:
    a = fake("a")
    blob = f"app/blobs/{digest_of(SMALL)}"
    a.put(f"v2/{blob}", SMALL, **quirk)
    hub = hub_of(a)
    assert describe(hub, blob).representation.size == len(SMALL)


@pytest.mark.parametrize("body", [b"", b"<html>"])
def test_headers_that_cannot_be_those_of_the_blob_are_not_believed(
    hub_of: MakeHub, body: bytes
) -> None:
    a = fake("a")
    blob = f"app/blobs/{digest_of(SMALL)}"
    a.put(f"v2/{blob}", body, headers={"content-type": "text/html"})
    with pytest.raises(IntegrityError):
        describe(hub_of(a), blob)


def test_a_download_under_way_is_described_by_itself(hub_of: MakeHub) -> None:
    a = fake("a")
    stall = Gate()
    blob = f"app/blobs/{digest_of(LARGE)}"
    a.put(f"v2/{blob}", LARGE, stall=stall)
    hub = hub_of(a)
    reading = Background(lambda: hub.get(blob))
    stall.await_arrival()
    assert describe(hub, blob).representation.size == len(LARGE)
    stall.release()
    assert reading.result().body == LARGE
    assert asked(a) == [f"GET {blob}"]


def test_a_manifest_is_fetched_to_be_described_so_that_its_tag_is_known(hub_of: MakeHub) -> None:
    a = fake("a")
    content = manifest("one")
    put_manifest(a, "app", content, "latest")
    hub = hub_of(a)
    assert describe(hub, "app/manifests/latest").representation.size == len(content)
    hub.flush()
    assert hub.get("app/manifests/latest").origin == "hit"


def test_what_is_absent_or_cannot_be_asked_is_told_as_for_get(hub_of: MakeHub) -> None:
    a = fake("a")
    hub = hub_of(a)
    with pytest.raises(NotFound):
        describe(hub, f"app/blobs/{digest_of(SMALL)}")
    a.fail(down())
    with pytest.raises(UpstreamUnavailable):
        describe(hub, f"app/blobs/{digest_of(LARGE)}")


def test_other_formats_describe_by_resolving(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    assert describe(hub, FILE).representation.size == len(SMALL)
    assert a.count(FILE, "HEAD") == 0

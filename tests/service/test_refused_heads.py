"""Upstreams that refuse HEAD and would answer GET."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.hub import LARGE, Hub, MakeHub, fake
from tests.service.images import asked, digest_of, manifest, put_blob, put_manifest
from virtreg.errors import EgressRefused, NotFound, UpstreamDenied, UpstreamError, UpstreamRefused
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Fetch, UpstreamSpec
from virtreg.testing.fakes import FakeReply, FakeUpstream

MANIFEST = manifest("one")
TAG = "app/manifests/latest"


class RefusesHead(FakeUpstream):
    """Answers GET alone."""

    def __init__(self, refusal: UpstreamError, **settings: Any) -> None:
        super().__init__(spec=UpstreamSpec("a", "http://a.invalid", **settings))
        self._refusal = refusal

    def fetch(self, request: Fetch) -> FakeReply:
        reply = super().fetch(request)
        if request.method == "GET":
            return reply
        reply.close()
        raise self._refusal


DENIED = UpstreamDenied("a: 401 to the token it asked for", upstream="a")
REFUSED = UpstreamRefused("a: 403 Forbidden", upstream="a")


@pytest.fixture
def hub_of(make_hub: MakeHub) -> MakeHub:
    def make(*upstreams: FakeUpstream, **options: Any) -> Hub:
        return make_hub(*upstreams, format=ContainerFormat(), **options)

    return make


@pytest.fixture(params=["denied", "signed for GET", "absent to strangers"])
def refusing(request: pytest.FixtureRequest) -> RefusesHead:
    match request.param:
        case "denied":
            return RefusesHead(DENIED)
        case "signed for GET":
            return RefusesHead(REFUSED, username="u")
        case _:
            return RefusesHead(REFUSED, on_refused="absent")


def test_a_blob_is_described_and_served(hub_of: MakeHub, refusing: RefusesHead) -> None:
    blob = put_blob(refusing, "app", LARGE)
    hub = hub_of(refusing)
    resolved = hub.registry.describe(hub.route(blob))
    resolved.body.close()
    assert resolved.representation.size == len(LARGE)
    assert hub.pull(blob).body == LARGE


def test_a_tag_is_answered_from_there_and_no_lower_one_is_asked(
    hub_of: MakeHub, refusing: RefusesHead
) -> None:
    put_manifest(refusing, "app", MANIFEST, "latest")
    lower = fake("lower")
    put_manifest(lower, "app", manifest("other"), "latest")
    assert hub_of(refusing, lower).pull(TAG).body == MANIFEST
    assert asked(refusing) == [f"HEAD {TAG}", f"GET {TAG}"]


def test_a_blob_that_is_held_under_another_name_is_fetched(
    hub_of: MakeHub, refusing: RefusesHead
) -> None:
    one, two = put_blob(refusing, "one", LARGE), put_blob(refusing, "two", LARGE)
    hub = hub_of(refusing)
    hub.pull(one)
    assert hub.pull(two).body == LARGE


def test_what_get_is_refused_too_is_absent_for_strangers(hub_of: MakeHub) -> None:
    a = fake("a")
    a.fail(DENIED)
    hub = hub_of(a)
    blob = f"app/blobs/{digest_of(LARGE)}"
    with pytest.raises(NotFound):
        hub.registry.describe(hub.route(blob))
    assert asked(a) == [f"HEAD {blob}", f"GET {blob}"]


def test_what_we_would_not_ask_is_not_asked_with_get_either(hub_of: MakeHub) -> None:
    a = fake("a")
    a.fail(EgressRefused("a: 10.0.0.1 is not allowed", upstream="a"))
    with pytest.raises(EgressRefused):
        hub_of(a).get(TAG)
    assert asked(a) == [f"HEAD {TAG}"]

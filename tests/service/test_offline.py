"""Serving what is held and asking nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.hub import DAY, Hub, MakeHub, fake
from tests.service.images import manifest, put_blob, put_manifest
from virtreg.errors import Offline
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.testing.fakes import FakeUpstream

TAG = "app/manifests/latest"
LIST = "app/tags/list"


@pytest.fixture
def hub_of(make_hub: MakeHub) -> MakeHub:
    def make(*upstreams: FakeUpstream, **options: Any) -> Hub:
        return make_hub(*upstreams, format=ContainerFormat(), **options)

    return make


def test_an_image_that_is_held_is_served_however_old_and_nobody_is_asked(
    hub_of: MakeHub,
) -> None:
    a, b = fake("a"), fake("b")
    put_manifest(b, "app", manifest("one"), "latest")
    blob = put_blob(b, "app", b"layer")
    b.put("v2/app/tags/list?n=1000", b'{"name":"app","tags":["latest"]}')
    online = hub_of(a, b)
    pulled = {path: online.pull(path).body for path in (TAG, blob)}
    pulled[LIST] = online.get(LIST).body
    online.close()
    before = len(a.requests), len(b.requests)
    offline = hub_of(a, b, offline=True)
    offline.clock.advance(100 * DAY)
    for path, body in pulled.items():
        assert offline.get(path).body == body
    assert (len(a.requests), len(b.requests)) == before


def test_a_copy_past_its_validity_is_told_to_be_one(hub_of: MakeHub) -> None:
    a = fake("a")
    put_manifest(a, "app", manifest("one"), "latest")
    online = hub_of(a)
    online.pull(TAG)
    online.close()
    offline = hub_of(a, offline=True)
    offline.clock.advance(DAY)
    resolved = offline.resolve(TAG)
    resolved.body.close()
    assert resolved.origin == "stale"
    assert "offline" in resolved.warning


@pytest.mark.parametrize("path", [TAG, LIST, "app/blobs/sha256:" + "0" * 64])
def test_what_is_not_held_is_told_to_be_out_of_reach_not_absent(hub_of: MakeHub, path: str) -> None:
    with pytest.raises(Offline, match="offline"):
        hub_of(fake("a"), offline=True).get(path)


def test_a_copy_is_served_even_where_a_better_upstream_would_be_asked_first(
    hub_of: MakeHub,
) -> None:
    a, b = fake("a", negative_validity_seconds=0), fake("b")
    put_manifest(b, "app", manifest("one"), "latest")
    online = hub_of(a, b, order="strict")
    body = online.pull(TAG).body
    online.close()
    assert hub_of(a, b, order="strict", offline=True).get(TAG).body == body


def test_no_setting_of_an_upstream_would_let_others_answer(hub_of: MakeHub) -> None:
    with pytest.raises(Offline) as caught:
        hub_of(fake("a"), fake("b"), offline=True).get(TAG)
    assert not caught.value.barred

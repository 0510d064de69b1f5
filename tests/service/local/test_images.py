"""Registries of images behind one another."""

from __future__ import annotations

import json

import pytest

from tests.service.hub import LARGE, fake
from tests.service.images import digest_of, manifest, put_blob, put_manifest
from tests.service.local.nest import Nest, to
from virtreg.errors import NotFound
from virtreg.model import Rule
from virtreg.testing.fakes import FakeUpstream


@pytest.fixture
def a(nest: Nest) -> FakeUpstream:
    a = fake("a")
    nest.add("inner", a, format_name="container")
    nest.add("outer", to("inner"), format_name="container")
    return a


def test_a_tag_is_had_through_it_and_moves_with_it(nest: Nest, a: FakeUpstream) -> None:
    put_manifest(a, "app", manifest("one"), "latest")
    assert nest.get("outer", "app/manifests/latest") == manifest("one")
    nest.flush()
    put_manifest(a, "app", manifest("two"), "latest")
    nest.clock.advance(25 * 3600)
    assert nest.get("outer", "app/manifests/latest") == manifest("two")


def test_a_body_is_had_by_digest_and_kept_once(nest: Nest, a: FakeUpstream) -> None:
    path = put_blob(a, "app", LARGE)
    assert nest.pull("outer", path) == LARGE
    assert nest.kept(path) == ["a"]
    digest = put_manifest(a, "app", manifest("one"), "latest")
    assert nest.get("outer", f"app/manifests/{digest}") == manifest("one")


def test_the_headers_of_a_blob_need_no_body(nest: Nest, a: FakeUpstream) -> None:
    path = put_blob(a, "app", LARGE)
    outer = nest.registries["outer"]
    described = outer.describe(outer.format.route(path))
    described.body.close()
    assert described.representation.size == len(LARGE)
    assert a.count(f"v2/{path}") == 0
    assert nest.kept(path) == []


def test_a_blob_is_found_behind_it_though_another_lacks_it(nest: Nest, a: FakeUpstream) -> None:
    path = put_blob(a, "app", LARGE)
    b = fake("b")
    nest.add("both", b, to("inner"), format_name="container")
    assert nest.pull("both", path) == LARGE
    assert digest_of(LARGE) in path


def test_its_tags_are_listed_with_those_of_others(nest: Nest, a: FakeUpstream) -> None:
    b = fake("b")
    for upstream, tag in ((a, "one"), (b, "two")):
        upstream.put("v2/app/tags/list?n=1000", json.dumps({"name": "app", "tags": [tag]}).encode())
    nest.add("both", to("inner"), b, format_name="container")
    listed = json.loads(nest.get("both", "app/tags/list"))
    assert listed == {"name": "app", "tags": ["one", "two"]}


def test_an_image_its_rules_deny_is_not_there(nest: Nest) -> None:
    a = fake("a", rules=(Rule("deny", "image", "secret/*"),))
    put_manifest(a, "secret/app", manifest("one"), "latest")
    nest.add("inner", a, format_name="container")
    nest.add("outer", to("inner"), format_name="container")
    with pytest.raises(NotFound):
        nest.get("outer", "secret/app/manifests/latest")

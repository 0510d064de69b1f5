"""Lists merged over upstreams and shown in parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.container.strategies import names, tags
from virtreg.errors import IntegrityError, InvalidRequest
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.container.links import next_query
from virtreg.formats.container.media_types import OCI_INDEX
from virtreg.model import View

container = ContainerFormat()
HEX = "0123456789abcdef" * 4
TAGS = container.route("team/app/tags/list")
REFERRERS = container.route(f"team/app/referrers/sha256:{HEX}")
CATALOG = container.route("_catalog")
URL = "/mount/v2/hub/team/app/tags/list"


def tag_list(*listed: str, name: str = "team/app") -> bytes:
    return json.dumps({"name": name, "tags": listed}).encode()


def referrer(digit: str, artifact_type: str = "a/b", **more: Any) -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": f"sha256:{digit * 64}",
        "size": 1,
        "artifactType": artifact_type,
        **more,
    }


def index(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def listed(document: bytes) -> list[str]:
    found = json.loads(document)
    assert found["name"] == "team/app"
    return list(found["tags"])


tag_lists = st.lists(tags(), max_size=6)


@given(st.lists(tag_lists, min_size=1, max_size=4))
def test_merged_tags_are_each_upstreams_once_in_order(lists: list[list[str]]) -> None:
    documents = [(str(at), tag_list(*one)) for at, one in enumerate(lists)]
    merged, left_out = container.merge(TAGS, [*documents, ("also", tag_list("z", "Z"))])
    found = listed(merged)
    assert left_out == []
    assert set(found) == {tag for one in lists for tag in one} | {"z", "Z"}
    assert len(set(found)) == len(found)
    assert found == sorted(found, key=lambda tag: (tag.lower(), tag))
    assert container.merge(TAGS, [("a", merged), ("b", tag_list(*found[:2]))])[0] == merged
    turned = [("also", tag_list("Z", "z")), *reversed(documents)]
    assert container.merge(TAGS, turned)[0] == merged


def test_tags_are_ordered_as_words_are() -> None:
    merged, _ = container.merge(TAGS, [("a", tag_list("b", "C", "10", "_x")), ("b", tag_list("A"))])
    assert listed(merged) == ["10", "_x", "A", "b", "C"]


GOOD = b'{ "tags": ["A", "b"], "name": "team/app", "extra": 1 }'


def test_a_sole_usable_list_is_kept_as_it_is() -> None:
    documents = [("broken", b"<html>"), ("good", GOOD), ("error", b'{"errors": []}')]
    assert container.merge(TAGS, documents) == (GOOD, ["broken", "error"])


@pytest.mark.parametrize(
    "odd",
    [
        GOOD.replace(b"team", b"library"),
        GOOD.replace(b'"A", "b"', b'"b", "A"'),
        GOOD.replace(b'"A"', b'"A", "A"'),
        GOOD.replace(b'"A"', b'"A", "a b"'),
        GOOD.replace(b'"name": "team/app", ', b""),
    ],
)
def test_a_sole_list_is_put_in_order_under_the_name_asked_for(odd: bytes) -> None:
    assert container.merge(TAGS, [("odd", odd)]) == (b'{"name":"team/app","tags":["A","b"]}', [])


def test_the_merged_list_is_of_the_repository_asked_for() -> None:
    documents = [("hub", tag_list("1", name="library/app")), ("own", tag_list("2", name="x"))]
    merged, _ = container.merge(TAGS, documents)
    assert merged == b'{"name":"team/app","tags":["1","2"]}'


def test_a_list_without_tags_may_say_null() -> None:
    nothing = ("a", b'{"name": "x", "tags": null}')
    assert listed(container.merge(TAGS, [nothing])[0]) == []
    assert listed(container.merge(TAGS, [nothing, ("b", tag_list("1"))])[0]) == ["1"]


def test_what_no_tag_can_be_is_not_listed() -> None:
    merged, _ = container.merge(TAGS, [("a", tag_list("ok", "a b", "")), ("b", tag_list("é", "1"))])
    assert listed(merged) == ["1", "ok"]


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"tags": {}}', b'{"tags": [1]}'])
def test_what_is_no_list_of_tags_is_corrupt(document: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"no upstream has a usable team/app/tags/list \(up: "):
        container.merge(TAGS, [("up", document)])


def test_content_is_never_merged() -> None:
    with pytest.raises(InvalidRequest, match="never merged"):
        container.merge(container.route("a/manifests/b"), [("up", b"{}")])


def pages(document: bytes, key: str, size: int) -> list[str]:
    """Every part of a list, as a client follows the links."""
    route = CATALOG if key == "repositories" else TAGS
    found: list[str] = []
    query: dict[str, str] = {"n": str(size)}
    while query:
        view = container.view(route, URL, query, document)
        assert view is not None
        part = json.loads(view.body)[key]
        assert len(part) <= size
        found += part
        links = [value for name, value in view.headers if name == "Link"]
        following = next_query(links[0]) if links else None
        assert not links or links[0].startswith(f"<{URL}?")
        query = dict(following or ())
    return found


@given(st.lists(tags(), max_size=12), st.integers(1, 14))
def test_the_parts_of_a_list_are_the_list(found: list[str], size: int) -> None:
    whole = listed(container.merge(TAGS, [("a", tag_list(*found)), ("b", tag_list("x"))])[0])
    assert pages(tag_list(*found, "x"), "tags", size) == whole


@given(st.sets(names(), max_size=12), st.integers(1, 14))
def test_the_parts_of_the_catalog_are_the_catalog(found: set[str], size: int) -> None:
    document = container.catalog(CATALOG, sorted(found))
    assert json.loads(document) == {"repositories": sorted(found)}
    assert pages(document, "repositories", size) == sorted(found)


def view_of(**query: str) -> View:
    view = container.view(TAGS, URL, query, tag_list("b", "A", "c", "B"))
    assert view is not None
    return view


def test_a_part_begins_after_the_last_of_the_one_before() -> None:
    assert listed(view_of(last="A").body) == ["B", "b", "c"]
    assert listed(view_of(last="aa").body) == ["B", "b", "c"]
    assert listed(view_of(last="zzz").body) == []
    assert listed(view_of(last="").body) == ["A", "B", "b", "c"]
    assert view_of(last="A").headers == ()
    part = view_of(n="2", last="A", ns="docker.io", other="<x>")
    assert listed(part.body) == ["B", "b"]
    assert part.headers == (("Link", f'<{URL}?n=2&last=b&ns=docker.io>; rel="next"'),)


def test_a_part_of_none_has_nothing_after_it() -> None:
    assert listed(view_of(n="0").body) == []
    assert view_of(n="0").headers == ()
    assert view_of(n="4").headers == ()
    assert listed(view_of(n="9" * 400).body) == ["A", "B", "b", "c"]


def test_a_part_has_ten_thousand_names_at_most() -> None:
    document = tag_list(*(f"v{at:05}" for at in range(10_001)))
    view = container.view(TAGS, URL, {"n": "1000000"}, document)
    assert view is not None
    assert len(json.loads(view.body)["tags"]) == 10_000
    assert view.headers == (("Link", f'<{URL}?n=10000&last=v09999>; rel="next"'),)


@pytest.mark.parametrize("number", ["", "-1", "+1", "1.0", "x", "٣", " 1", "0x1"])
def test_what_is_no_number_is_refused(number: str) -> None:
    for route, document in ((TAGS, tag_list("a")), (CATALOG, container.catalog(CATALOG, ["a"]))):
        with pytest.raises(InvalidRequest, match=r"^n: must be a number"):
            container.view(route, URL, {"n": number}, document)


def test_a_damaged_list_has_no_parts() -> None:
    with pytest.raises(IntegrityError, match="no list of repositories"):
        container.view(CATALOG, URL, {"n": "1"}, b"{}")


# Referrers


def test_referrers_are_each_upstreams_once_and_the_first_position_wins() -> None:
    first = index(referrer("1"), referrer("2", annotations={"from": "first"}))
    second = index(referrer("2", annotations={"from": "second"}), referrer("3"))
    merged, left_out = container.merge(REFERRERS, [("first", first), ("second", second)])
    assert left_out == []
    document = json.loads(merged)
    assert (document["schemaVersion"], document["mediaType"]) == (2, OCI_INDEX)
    found = document["manifests"]
    assert [entry["digest"][7] for entry in found] == ["1", "2", "3"]
    assert found[1]["annotations"] == {"from": "first"}
    assert container.merge(REFERRERS, [("a", merged), ("b", second)])[0] == merged
    assert container.join(REFERRERS, [first, second]) == merged


@pytest.mark.parametrize(
    ("told", "listed"),
    [
        (b'{"schemaVersion": 2, "manifests": []}', []),
        (index(referrer("1")).replace(b'"schemaVersion": 2, ', b""), ["1"]),
        (index().replace(b"[]", b"null"), []),
    ],
)
def test_a_sole_index_says_what_it_is(told: bytes, listed: list[str]) -> None:
    document = json.loads(container.merge(REFERRERS, [("up", told)])[0])
    assert (document["schemaVersion"], document["mediaType"]) == (2, OCI_INDEX)
    assert [entry["digest"][7] for entry in document["manifests"]] == listed


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b'{"manifests": {}}',
        b'{"manifests": [1]}',
        b'{"manifests": [{"digest": 1}]}',
        b'{"mediaType": "application/vnd.oci.image.manifest.v1+json", "manifests": []}',
        b'{"config": {}, "layers": []}',
        b"<html>",
    ],
)
def test_what_is_no_index_is_corrupt(document: bytes) -> None:
    with pytest.raises(IntegrityError):
        container.merge(REFERRERS, [("up", document)])
    good = index(referrer("1"))
    assert container.merge(REFERRERS, [("up", document), ("good", good)]) == (good, ["up"])


def test_registries_without_the_endpoint_keep_the_list_under_a_tag() -> None:
    elsewhere = container.elsewhere(REFERRERS)
    assert elsewhere == container.route(f"team/app/manifests/sha256-{HEX}")
    long = container.elsewhere(container.route(f"a/referrers/sha512:{HEX * 2}"))
    assert long == container.route(f"a/manifests/sha512-{HEX}")
    assert container.elsewhere(TAGS) is None


def test_what_nobody_refers_to_has_an_empty_index() -> None:
    nothing = container.nothing(REFERRERS)
    assert nothing is not None
    assert json.loads(nothing) == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    assert container.nothing(TAGS) is None


def test_referrers_of_one_type_are_a_view() -> None:
    document = index(referrer("1", "a/b"), referrer("2", "c/d"), referrer("3", "a/b"))
    view = container.view(REFERRERS, URL, {"artifactType": "a/b"}, document)
    assert view is not None
    assert [entry["digest"][7] for entry in json.loads(view.body)["manifests"]] == ["1", "3"]
    assert view.headers == (("OCI-Filters-Applied", "artifactType"),)
    none = container.view(REFERRERS, URL, {"artifactType": "x/y"}, document)
    assert none is not None
    assert json.loads(none.body)["manifests"] == []
    assert container.view(REFERRERS, URL, {"artifactType": ""}, document) is None
    assert container.view(REFERRERS, URL, {"n": "1"}, document) is None

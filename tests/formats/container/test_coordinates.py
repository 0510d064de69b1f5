from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.container.strategies import names, tags
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.model import Coordinates, UpstreamSpec

HEX = "0123456789abcdef" * 4
HUB = UpstreamSpec("hub", "https://registry-1.docker.io")
TEAM = UpstreamSpec("team", "https://registry.example", default_namespace="team")
PLAIN = UpstreamSpec("plain", "https://registry.example")

container = ContainerFormat()


def about(path: str, upstream: UpstreamSpec = PLAIN) -> tuple[Coordinates, ...]:
    return container.coordinates(container.localize(container.route(path), upstream), upstream)


@pytest.mark.parametrize(
    ("path", "readings"),
    [
        ("app/manifests/v1", ({"image": "app", "tag": "v1"},)),
        (f"app/manifests/sha256:{HEX}", ({"image": "app"},)),
        (f"app/blobs/sha256:{HEX}", ({"image": "app"},)),
        ("team/app/tags/list", ({"image": "team/app"},)),
        (f"app/referrers/sha256:{HEX}", ({"image": "app"},)),
        ("_catalog", ()),
    ],
)
def test_a_path_is_about_an_image_and_perhaps_its_tag(
    path: str, readings: tuple[Coordinates, ...]
) -> None:
    assert about(path) == readings


@pytest.mark.parametrize(("upstream", "namespace"), [(HUB, "library"), (TEAM, "team")])
def test_an_image_of_the_default_namespace_goes_by_both_its_names(
    upstream: UpstreamSpec, namespace: str
) -> None:
    both = ({"image": f"{namespace}/nginx", "tag": "1"}, {"image": "nginx", "tag": "1"})
    assert about("nginx/manifests/1", upstream) == both
    assert about(f"{namespace}/nginx/manifests/1", upstream) == both
    other = f"{namespace}/sub/nginx"
    assert about(f"{other}/manifests/1", upstream) == ({"image": other, "tag": "1"},)


@given(names(), tags(), st.sampled_from([HUB, TEAM, PLAIN]))
def test_every_spelling_of_a_path_is_about_the_same(
    name: str, tag: str, upstream: UpstreamSpec
) -> None:
    path = f"{name}/manifests/{tag}"
    local = container.localize(container.route(path), upstream)
    assert about(path, upstream) == about(local.path, upstream)
    assert {"image": name, "tag": tag} in about(path, upstream)


@given(names(), st.lists(tags()), st.sets(tags()))
def test_no_list_has_a_denied_tag_and_no_other_is_missing(
    name: str, listed: list[str], others: set[str]
) -> None:
    denied = others | set(listed[::2])
    route = container.route(f"{name}/tags/list")

    def allowed(coordinates: Coordinates) -> bool:
        return coordinates["tag"] not in denied

    document = json.dumps({"name": name, "tags": listed}).encode()
    left = container.sift(route, document, allowed)
    if set(listed) <= denied:
        assert left == (None if listed else document)
        return
    assert left is not None
    assert set(json.loads(left)["tags"]) == set(listed) - denied
    assert container.sift(route, left, allowed) == left


def test_referrers_go_by_digest_and_stay_as_they_are() -> None:
    document = b'{"schemaVersion":2,"manifests":[]}'
    route = container.route(f"app/referrers/sha256:{HEX}")
    assert container.sift(route, document, lambda _: False) == document


def test_no_image_is_a_dated_release() -> None:
    assert not container.released(container.route("app/manifests/1"))

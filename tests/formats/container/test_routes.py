"""Paths below /v2/, and how upstreams call them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.container.strategies import digests, names, tags
from virtreg.errors import InvalidRequest, NotFound
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.container.names import DigestInvalid, NameInvalid, print_digest
from virtreg.formats.container.routes import split
from virtreg.model import Algorithm, Freshness, Route, UpstreamSpec

container = ContainerFormat()
HEX = "0123456789abcdef" * 4
HUB = UpstreamSpec("hub", "https://registry-1.docker.io")


@given(names(), tags())
def test_a_tag_is_a_name_that_moves(name: str, tag: str) -> None:
    route = container.route(f"{name}/manifests/{tag}")
    assert route == Route(f"{name}/manifests/{tag}", Freshness.ARTIFACT, moving=True)
    assert split(route.path) == (name, "manifests", tag)


@given(names(), st.sampled_from(["manifests", "blobs"]), digests())
def test_a_digest_fixes_the_bytes(name: str, kind: str, digest: tuple[Algorithm, str]) -> None:
    path = f"{name}/{kind}/{print_digest(digest)}"
    assert container.route(path) == Route(path, Freshness.IMMUTABLE, digest=digest)
    assert split(path) == (name, kind, print_digest(digest))


@given(names(), digests())
def test_lists_are_merged(name: str, digest: tuple[Algorithm, str]) -> None:
    for path in (f"{name}/tags/list", f"{name}/referrers/{print_digest(digest)}"):
        assert container.route(path) == Route(path, Freshness.LISTING, merged=True)
        assert split(path)[0] == name


def test_the_catalog_is_a_listing() -> None:
    assert container.route("_catalog") == Route("_catalog", listing=True)


@pytest.mark.parametrize(
    ("path", "repository"),
    [
        ("a/manifests/tags/list", "a/manifests"),
        ("a/tags/list/manifests/latest", "a/tags/list"),
        (f"manifests/blobs/blobs/sha256:{HEX}", "manifests/blobs"),
        (f"a/referrers/manifests/manifests/sha256:{HEX}", "a/referrers/manifests"),
        ("manifests/manifests/manifests", "manifests"),
    ],
)
def test_names_may_have_the_words_of_endpoints(path: str, repository: str) -> None:
    assert split(container.route(path).path)[0] == repository


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("A/manifests/latest", NameInvalid),
        ("a//manifests/latest", NameInvalid),
        ("/manifests/latest", NameInvalid),
        (f"a/../b/blobs/sha256:{HEX}", NameInvalid),
        ("A/tags/list", NameInvalid),
        ("a/manifests/sha256:abc", DigestInvalid),
        ("a/manifests/latest:1", DigestInvalid),
        ("a/blobs/latest", DigestInvalid),
        ("a/blobs/", DigestInvalid),
        ("a/referrers/latest", DigestInvalid),
        (f"a/referrers/sha256:{HEX}0", DigestInvalid),
    ],
)
def test_malformed_names_are_invalid(path: str, error: type[InvalidRequest]) -> None:
    with pytest.raises(error):
        container.route(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "a", "a/b", "a/b/c", "_catalog/x/y", "a/tags/", "a/tags/latest", "manifests/latest"),
        *("a/manifests/", "a/manifests/.bad", "a/blobs/uploads/1", "a/manifest/latest"),
    ],
)
def test_what_is_never_served_is_not_found(path: str) -> None:
    with pytest.raises(NotFound) as caught:
        container.route(path)
    assert caught.value.path == path


@given(st.text("aA0/:_.-%\\\n", max_size=30), st.sampled_from(["", "manifests/a", "tags/list"]))
def test_any_path_is_routed_to_itself_or_refused(name: str, rest: str) -> None:
    with contextlib.suppress(InvalidRequest, NotFound):
        assert container.route(f"{name}/{rest}").path == f"{name}/{rest}"


@pytest.mark.parametrize(
    ("upstream", "prefix"),
    [
        (HUB, "library/"),
        (UpstreamSpec("u", "https://docker.io/"), "library/"),
        (UpstreamSpec("u", "https://INDEX.docker.io:443/v1"), "library/"),
        (UpstreamSpec("u", "https://quay.io"), ""),
        (UpstreamSpec("u", "https://docker.io.example"), ""),
        (UpstreamSpec("u", "https://quay.io/docker.io"), ""),
        (UpstreamSpec("u", "https://quay.io", default_namespace="team/base"), "team/base/"),
        (UpstreamSpec("u", "https://docker.io", default_namespace="team"), "team/"),
    ],
)
def test_a_bare_name_gets_the_upstreams_namespace(upstream: UpstreamSpec, prefix: str) -> None:
    for path in ("alpine/manifests/latest", f"alpine/blobs/sha256:{HEX}", "alpine/tags/list"):
        local = container.localize(container.route(path), upstream)
        assert local == container.route(prefix + path)
        scope = container.expect(local).scope
        assert scope == f"repository:{prefix}alpine:pull"


def test_other_names_stay_as_they_are() -> None:
    for path in ("library/alpine/manifests/latest", "a/b/c/tags/list", "_catalog"):
        route = container.route(path)
        assert container.localize(route, HUB) is route


def test_what_is_asked_of_upstreams() -> None:
    manifest = container.expect(container.route("a/b/manifests/1"))
    assert manifest.accept.split(", ") == [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "*/*",
    ]
    assert manifest.max_bytes == 8 * 1024**2
    assert manifest.metered
    assert not manifest.head_alone
    blob = container.expect(container.route(f"a/b/blobs/sha256:{HEX}"))
    assert (blob.accept, blob.head_alone, blob.metered) == ("*/*", True, False)
    tag_list = container.expect(container.route("a/b/tags/list"))
    assert (tag_list.accept, tag_list.query) == ("application/json", (("n", "1000"),))
    referrers = container.expect(container.route(f"a/b/referrers/sha256:{HEX}"))
    assert referrers.accept == "application/vnd.oci.image.index.v1+json"
    for expectation in (manifest, blob, tag_list, referrers):
        assert (expectation.prefix, expectation.scope) == ("v2/", "repository:a/b:pull")


def test_a_body_has_one_path_per_digest() -> None:
    route = container.route("a/manifests/latest")
    known = {Algorithm.SHA512: HEX * 2, Algorithm.SHA256: HEX, Algorithm.MD5: HEX[:32]}
    pinned = container.pinned(route, known)
    assert pinned == container.route(f"a/manifests/sha256:{HEX}")
    del known[Algorithm.SHA256]
    assert container.pinned(route, known) == container.route(f"a/manifests/sha512:{HEX * 2}")
    del known[Algorithm.SHA512]
    assert container.pinned(route, known) is None

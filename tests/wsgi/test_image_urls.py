from __future__ import annotations

import logging

import pytest
from attrs import define

from tests.wsgi.doors import NOTHING, Named
from tests.wsgi.galleries import Galleries
from tests.wsgi.images import MANIFEST, Shelf, code, digest, image, spec
from tests.wsgi.sites import SMALL_BODY, Site
from virtreg.model import RegistrySpec, Route
from virtreg.protocols import Resolution

SHAPES: list[tuple[str, str, Named, str]] = [
    ("/v2/virtual_registries/container/2/", "quay", NOTHING, ""),
    ("/v2/quay/", "quay", NOTHING, ""),
    ("/quay/v2/", "quay", NOTHING, ""),
    ("/v2/", "hub", NOTHING, ""),
    ("/v2/", "quay", {"Host": "images.test"}, ""),
    ("/v2/", "quay", {"Host": "IMAGES.test:8080"}, ""),
    ("/v2/", "quay", {"Host": "other.test:81"}, ""),
    ("/v2/", "hub", {"Host": "other.test"}, ""),
    ("/v2/", "claimed", {"OCI-Namespace": "ghcr.io"}, "ghcr.io"),
    ("/v2/", "hub", {"OCI-Namespace": "docker.io", "Host": "images.test"}, "docker.io"),
    ("/v2/?ns=docker.io", "hub", {"Host": "images.test"}, "docker.io"),
    ("/v2/?ns=index.docker.io", "hub", NOTHING, "index.docker.io"),
    ("/v2/?ns=registry-1.docker.io", "hub", NOTHING, "registry-1.docker.io"),
    ("/v2/?ns=registry.example%3A5000", "quay", NOTHING, "registry.example:5000"),
    ("/v2/?ns=registry.example:5000", "quay", NOTHING, "registry.example:5000"),
    ("/v2/?ns=QUAY.io", "claimed", NOTHING, "quay.io"),
    ("/v2/?ns=quay.io&ns=docker.io", "claimed", NOTHING, "quay.io"),
    ("/v2/?ns=docker.io", "hub", {"OCI-Namespace": "ghcr.io"}, "docker.io"),
    ("/v2/?ns=", "hub", NOTHING, ""),
    ("/v2/quay/?ns=docker.io", "quay", {"OCI-Namespace": "nowhere.test"}, ""),
    ("/quay/v2/?ns=nowhere.test", "quay", NOTHING, ""),
    ("/v2/quay/", "quay", {"Host": "images.test"}, ""),
]


def below(shape: str, path: str) -> str:
    base, mark, query = shape.partition("?")
    return f"{base}{path}{mark}{query}"


@pytest.mark.parametrize(("shape", "name", "headers", "namespace"), SHAPES)
def test_every_shape_leads_to_its_registry_cold_and_ready(
    quick_galleries: Galleries, shape: str, name: str, headers: Named, namespace: str
) -> None:
    site = quick_galleries()
    shelf = site.shelves[name]
    shelf.expires_at = site.clock() + 10
    paths = image(f"of-{name}/app")
    for _ in range(2):
        for path, body in paths.items():
            answer = site.both(below(shape, path), headers)
            assert (answer.status, answer.body) == (200, body)
            assert ("OCI-Namespace" in answer) == bool(namespace)
            if namespace:
                assert answer["OCI-Namespace"] == namespace
        ping = site.both(shape, headers)
        assert (ping.status, ping.body) == (200, b"{}")
    once = set(shelf.resolved)
    if "%" not in shape and "&" not in shape:
        assert len(shelf.resolved) == len(once) == len(paths)


@pytest.mark.parametrize(
    "shape", ["/v2/virtual_registries/container/1/", "/v2/hub/", "/hub/v2/", "/v2/?ns=docker.io"]
)
def test_every_way_in_answers_head_as_get(galleries: Galleries, shape: str) -> None:
    site = galleries()
    for expires_in in (0, 10):
        site.shelves["hub"].expires_at = site.clock() + expires_in
        for path, body in {**image("of-hub/app"), "of-hub/app/manifests/none": None}.items():
            answer = site.both(below(shape, path))
            assert answer.status == (404 if body is None else 200)
            assert body is None or answer.body == body
    assert site.both(shape).body == b"{}"
    assert site.both(below(shape, "UPPER/manifests/x")).status == 400


def test_one_path_is_told_apart_by_what_decided(quick_galleries: Galleries) -> None:
    """The same URL under two names of one registry and under two registries, all ready."""
    specs = (spec(1, "hub", "docker.io", default=True), spec(2, "quay", "quay.io"))
    site = quick_galleries(*specs)
    for name, shelf in site.shelves.items():
        shelf.expires_at = site.clock() + 10
        shelf.files["same/manifests/latest"] = name.encode()
    path = "/v2/same/manifests/latest"
    for _ in range(3):
        for query, name in (("", "hub"), ("docker.io", "hub"), ("quay.io", "quay")):
            answer = site.both(f"{path}?ns={query}" if query else path)
            assert answer.body == name.encode()
            assert ("OCI-Namespace" in answer) == bool(query)
    assert len(site.shelves["quay"].resolved) == 1
    assert len(site.shelves["hub"].resolved) == 2


def test_escaped_digests_are_digests(galleries: Galleries) -> None:
    site = galleries()
    escaped = digest(MANIFEST).replace(":", "%3A")
    for _ in range(2):
        assert site.both(f"/v2/hub/of-hub/app/manifests/{escaped}").body == MANIFEST


@pytest.mark.parametrize("root", ["/v2", "/v2/", "/hub/v2", "/hub/v2/", "/v2/hub", "/v2/hub/"])
def test_pings(galleries: Galleries, root: str) -> None:
    answer = galleries().both(root)
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer["Content-Type"] == "application/json"
    assert answer["Docker-Distribution-Api-Version"] == "registry/2.0"


UNKNOWN: list[tuple[str, Named, str]] = [
    ("/v2/x/app/manifests/latest?ns=nowhere.test", NOTHING, "NAME_UNKNOWN"),
    ("/v2/?ns=nowhere.test", NOTHING, "NAME_UNKNOWN"),
    ("/v2/_catalog?ns=nowhere.test", NOTHING, "NAME_UNKNOWN"),
    ("/v2/x/manifests/latest", {"OCI-Namespace": "no\xffwhere.test"}, "NAME_UNKNOWN"),
    ("/v2/virtual_registries/container/9/app/manifests/latest", NOTHING, "NAME_UNKNOWN"),
    ("/v2/virtual_registries/container/", NOTHING, "NAME_UNKNOWN"),
    ("/v2/hub/hub/none/manifests/latest", NOTHING, "MANIFEST_UNKNOWN"),
    (f"/v2/hub/of-hub/app/blobs/sha256:{'0' * 64}", NOTHING, "BLOB_UNKNOWN"),
    ("/v2/hub/extra", NOTHING, "NAME_UNKNOWN"),
]


@pytest.mark.parametrize(("target", "headers", "expected"), UNKNOWN)
def test_what_is_unknown_is_told_in_the_words_of_images(
    galleries: Galleries, target: str, headers: Named, expected: str
) -> None:
    answer = galleries().both(target, headers)
    assert (answer.status, code(answer)) == (404, expected)


@pytest.mark.parametrize("id", ["hub", "-1", "1x"])
def test_an_id_is_a_number(quick_galleries: Galleries, id: str) -> None:  # noqa: A002
    answer = quick_galleries().both(f"/v2/virtual_registries/container/{id}/app/manifests/x")
    assert answer.status == 400
    assert b"id is invalid" in answer.body
    assert code(answer)


def test_without_a_default_a_root_url_must_name_its_registry(quick_galleries: Galleries) -> None:
    site = quick_galleries(spec(1, "one", "one.test"), spec(2, "two", "two.test"))
    answer = site.both("/v2/one/../app/manifests/latest")
    assert answer.status == 400
    answer = site.both("/v2/library/nginx/manifests/latest")
    assert (answer.status, code(answer)) == (404, "NAME_UNKNOWN")
    assert site.both("/v2/").body == b"{}"
    assert site.both("/v2/?ns=two.test").body == b"{}"


def test_a_sole_registry_is_the_default(quick_galleries: Galleries) -> None:
    site = quick_galleries(spec(5, "only", "quay.io"))
    assert site.both("/v2/only/app/manifests/latest").status == 404  # its name comes first
    assert site.both("/v2/only/of-only/app/manifests/latest").body == MANIFEST
    site.shelves["only"].files.update(image("library/nginx"))
    assert site.both("/v2/library/nginx/manifests/latest").body == MANIFEST


def test_the_documented_prefix_can_be_another(quick_galleries: Galleries) -> None:
    site = quick_galleries(documented_images="images/by-id")
    assert site.both("/v2/images/by-id/1/of-hub/app/manifests/latest").body == MANIFEST
    answer = site.both("/v2/virtual_registries/container/1/of-hub/app/manifests/latest")
    assert answer.status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "target",
    ["/v2/hub/of-hub/app/manifests/latest", "/v2/app/blobs/uploads/?ns=docker.io", "/hub/v2/"],
)
def test_writing_is_not_supported(galleries: Galleries, method: str, target: str) -> None:
    answer = galleries().door.ask(method, target)
    assert (answer.status, code(answer)) == (405, "UNSUPPORTED")
    assert answer["Allow"] == "GET, HEAD"
    assert ("OCI-Namespace" in answer) == ("ns=" in target)


@pytest.mark.parametrize(
    ("query", "name"),
    [("ns=%zz", "ns"), ("ns=%ff", "ns"), ("x=%", "x"), ("%C3=1", "%C3")],
)
def test_a_query_that_cannot_be_read_is_named(
    quick_galleries: Galleries, query: str, name: str
) -> None:
    answer = quick_galleries().both(f"/v2/hub2/app/manifests/latest?{query}")
    assert answer.status == 400
    assert repr(name) in answer.body.decode()
    assert code(answer)


def test_a_registry_of_images_has_no_package_urls(quick_galleries: Galleries) -> None:
    site = quick_galleries()
    for target in (
        "/container/hub/of-hub/app/manifests/latest",
        "/api/v4/virtual_registries/packages/container/1/of-hub/app/manifests/latest",
    ):
        assert site.both(target).problem["detail"] == "there is no registry at this URL"


def test_without_registries_of_images_there_is_no_such_api(site: Site) -> None:
    for target in ("/v2", "/v2/", "/v2/hub/app/manifests/latest?ns=docker.io", "/hub/v2/"):
        answer = site.door.ask("GET", target)
        assert answer.status == 404
        assert answer.problem["detail"] == "there is no registry at this URL"
    site.near.put("v2/a.pom", SMALL_BODY)
    assert site.door.ask("GET", "/maven/solo/v2/a.pom").body == SMALL_BODY


@define
class Broken(Shelf):
    def resolve(self, route: Route) -> Resolution:
        raise ValueError("secret detail")


def test_a_bug_is_told_in_the_words_of_images(
    quick_galleries: Galleries, caplog: pytest.LogCaptureFixture
) -> None:
    site = quick_galleries(kind=Broken)
    with caplog.at_level(logging.CRITICAL, "virtreg"):
        answer = site.both("/v2/app/manifests/latest?ns=docker.io")
    assert (answer.status, answer["OCI-Namespace"]) == (500, "docker.io")
    assert code(answer) == "UNKNOWN"
    assert b"secret" not in answer.body


def test_a_host_of_a_registry_may_be_named_with_the_usual_port(
    quick_galleries: Galleries,
) -> None:
    site = quick_galleries(
        spec(1, "hub", "docker.io", default=True),
        spec(2, "secure", "quay.io", hosts=("a.test:443", "b.test:443")),
        spec(3, "plain", "ghcr.io", hosts=("b.test", "c.test:80")),
    )
    for host, name in (
        ("a.test", "secure"),
        ("A.test.", "secure"),
        ("a.test:443", "secure"),
        ("a.test:80", "hub"),
        ("b.test", "plain"),
        ("b.test:443", "secure"),
        ("b.test:8443", "plain"),
        ("c.test", "plain"),
        ("c.test:81", "hub"),
        ("c.test,a.test", "hub"),
        ("evil@a.test", "hub"),
    ):
        assert f'"of-{name}/a"'.encode() in site.both("/v2/_catalog", {"Host": host}).body, host


def test_catalogs(galleries: Galleries) -> None:
    site = galleries()
    for target, name in (
        ("/v2/_catalog", "hub"),
        ("/v2/_catalog?ns=ghcr.io", "claimed"),
        ("/quay/v2/_catalog", "quay"),
        ("/v2/quay/_catalog", "quay"),
        ("/v2/virtual_registries/container/2/_catalog", "quay"),
    ):
        assert f'"of-{name}/a"'.encode() in site.both(target).body


def test_the_first_registry_that_stands_for_a_host_has_it(quick_galleries: Galleries) -> None:
    specs: list[RegistrySpec] = [
        spec(1, "one", "docker.io", "quay.io"),
        spec(2, "two", "registry-1.docker.io", "ghcr.io"),
        spec(3, "three", "ghcr.io", namespaces=("lab.test",)),
    ]
    site = quick_galleries(*specs)
    for namespace, name in (
        ("index.docker.io", "one"),
        ("quay.io", "one"),
        ("ghcr.io", "two"),
        ("lab.test", "three"),
    ):
        answer = site.both(f"/v2/_catalog?ns={namespace}")
        assert f'"of-{name}/a"'.encode() in answer.body

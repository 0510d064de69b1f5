from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals
from virtreg.model import UpstreamSpec

IMAGES = '[[registry]]\nname = "images"\nformat = "container"\nupstreams = ["quay"]\n'


def _upstream(url: str) -> str:
    return f'[[upstream]]\nname = "quay"\nurl = "{url}"\n'


QUAY = _upstream("https://quay.example.org")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://quay.example.org/", "https://quay.example.org"),
        ("https://quay.example.org/v2/", "https://quay.example.org"),
        ("https://quay.example.org/hub/v2", "https://quay.example.org/hub"),
        ("https://quay.example.org/apiv2", "https://quay.example.org/apiv2"),
        ("https://docker.io", "https://registry-1.docker.io"),
        ("https://Index.Docker.io/v2/", "https://registry-1.docker.io"),
        ("https://hub.docker.com", "https://registry-1.docker.io"),
        ("http://docker.io:443", "https://registry-1.docker.io"),
        ("https://registry-1.docker.io", "https://registry-1.docker.io"),
        ("https://docker.io.example.org", "https://docker.io.example.org"),
        ("http://localhost:5000", "http://localhost:5000"),
    ],
)
def test_an_upstream_of_images_is_kept_as_the_registry_behind_it(
    tmp_path: Path, url: str, kept: str
) -> None:
    (registry,) = read(tmp_path, _upstream(url) + IMAGES).registries
    assert [upstream.url for upstream in registry.upstreams] == [kept]


def test_a_page_of_docker_hub_is_no_registry(tmp_path: Path) -> None:
    assert refusals(tmp_path, _upstream("https://hub.docker.com/_/alpine") + IMAGES) == [
        'upstream[1].url: is a page of Docker Hub; its registry is "https://registry-1.docker.io"'
    ]


def test_other_formats_keep_their_urls(tmp_path: Path) -> None:
    text = _upstream("https://quay.example.org/v2") + REGISTRY.replace("central", "quay")
    assert read(tmp_path, text).registries[0].upstreams[0].url == "https://quay.example.org/v2"


def test_every_key_for_images_reaches_its_value(tmp_path: Path) -> None:
    keys = (
        'username = "ci"\ncredential_command = ["docker-credential-x", "get"]\n'
        'token_realms = ["Auth.example.org", "localhost:5001", "[::1]:5002"]\n'
        'default_namespace = "mirror/library"\non_refused = "error"\n'
    )
    more = (
        'namespaces = ["Quay.io", "index.docker.io", "localhost:5000"]\n'
        'hosts = ["images.example.org"]\ndefault = true\n'
    )
    config = read(tmp_path, f"[server]\noffline = true\n{QUAY}{keys}{IMAGES}{more}")

    assert config.server.offline
    (registry,) = config.registries
    assert registry.namespaces == ("quay.io", "docker.io", "localhost:5000")
    assert registry.hosts == ("images.example.org",)
    assert registry.default
    (upstream,) = registry.upstreams
    assert upstream == UpstreamSpec(
        "quay",
        "https://quay.example.org",
        username="ci",
        credential_command=("docker-credential-x", "get"),
        token_realms=("auth.example.org", "localhost:5001", "[::1]:5002"),
        default_namespace="mirror/library",
        on_refused="error",
    )


def test_an_upstream_that_says_nothing_of_refusals_has_it_read_by_what_it_is(
    tmp_path: Path,
) -> None:
    (registry,) = read(tmp_path, QUAY + IMAGES).registries
    assert registry.upstreams[0].on_refused is None
    assert (registry.namespaces, registry.hosts, registry.default) == ((), (), False)


@pytest.mark.parametrize("word", ["docker", "oci", "image", "OCI"])
def test_other_words_for_images_are_told_the_right_one(tmp_path: Path, word: str) -> None:
    assert refusals(tmp_path, QUAY + IMAGES.replace("container", word)) == [
        'registry[1].format: unknown format; the format of images is "container"'
    ]


@pytest.mark.parametrize("name", ["v2", "api", "virtual_registries"])
def test_a_name_that_would_hide_urls_is_refused(tmp_path: Path, name: str) -> None:
    (only,) = refusals(tmp_path, QUAY + IMAGES.replace("images", name))
    assert only.startswith(f'registry[1].name: cannot be "{name}"')


@pytest.mark.parametrize("name", ["Images", "a..b", "a.", "a___b"])
def test_a_name_that_no_image_can_have_is_refused(tmp_path: Path, name: str) -> None:
    (only,) = refusals(tmp_path, QUAY + IMAGES.replace('"images"', f'"{name}"'))
    assert only.startswith("registry[1].name: is part of image names here")


@pytest.mark.parametrize("name", ["a--b", "a__b", "0", "hub.example"])
def test_a_name_that_images_can_have_is_taken(tmp_path: Path, name: str) -> None:
    text = QUAY + IMAGES.replace('"images"', f'"{name}"')
    assert read(tmp_path, text).registries[0].name == name


def test_there_is_one_default(tmp_path: Path) -> None:
    one = f"{IMAGES}default = true\n"
    two = one.replace("images", "others")
    assert refusals(tmp_path, QUAY + one + two) == [
        "registry[2].default: registry[1] is the default already"
    ]


@pytest.mark.parametrize("kind", ["namespaces", "hosts"])
def test_a_host_means_one_registry(tmp_path: Path, kind: str) -> None:
    one = f'{IMAGES}{kind} = ["quay.io"]\n'
    two = (
        one.replace("images", "others")
        .replace("quay.io", "ghcr.io")
        .replace('["ghcr.io"]', '["ghcr.io", "Quay.io"]')
    )
    assert refusals(tmp_path, QUAY + one + two) == [
        f'registry[2].{kind}[2]: "quay.io" is of registry[1] already'
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("namespaces", '["quay.io"]'), ("hosts", '["h"]'), ("default", "true")]
)
def test_what_means_nothing_to_other_formats_is_refused(
    tmp_path: Path, key: str, value: str
) -> None:
    assert refusals(tmp_path, f"{UPSTREAM}{REGISTRY}{key} = {value}\n") == [
        f'registry[1].{key}: is for registries of the format "container" alone'
    ]


@pytest.mark.parametrize("host", ["https://quay.io", "quay.io/x", "", "a b"])
def test_a_namespace_is_a_host(tmp_path: Path, host: str) -> None:
    (only,) = refusals(tmp_path, f'{QUAY}{IMAGES}namespaces = ["{host}"]\n')
    assert only.startswith("registry[1].namespaces[1]: must be a host such as")


def test_an_upstream_speaks_one_format(tmp_path: Path) -> None:
    text = UPSTREAM + QUAY + REGISTRY + IMAGES.replace('["quay"]', '["quay", "central"]')
    (only,) = refusals(tmp_path, text)
    assert only == (
        'registry[2].upstreams[2]: "central": registry[1] lists it for maven; '
        "an upstream speaks one format"
    )

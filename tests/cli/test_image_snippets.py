from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.snippets import registry_url, snippets

HERE = "http://127.0.0.1:8081"
HUB = RegistrySpec(
    id=2,
    name="hub",
    format="container",
    upstreams=(UpstreamSpec("docker-hub", "https://registry-1.docker.io"),),
)
MANY = RegistrySpec(
    id=3,
    name="many",
    format="container",
    upstreams=(
        UpstreamSpec("quay", "https://quay.example.org"),
        UpstreamSpec("inside", "http://registry.example.org:5000/images"),
    ),
)


def _texts(base_url: str, registry: RegistrySpec) -> dict[str, str]:
    """Every snippet by the file it belongs to."""
    return {snippet.filename: snippet.text for snippet in snippets(base_url, registry)}


def _toml(base_url: str, registry: RegistrySpec, file: str) -> dict[str, Any]:
    return tomllib.loads(_texts(base_url, registry)[file])


@pytest.mark.parametrize(
    ("base_url", "prefix"),
    [
        (HERE, "127.0.0.1:8081/hub"),
        ("https://repo.example.org/", "repo.example.org/hub"),
        ("http://localhost", "localhost/hub"),
        ("http://[::1]:8081", "[::1]:8081/hub"),
        ("http://builds", "builds:80/hub"),
        ("https://builds", "builds:443/hub"),
        ("https://repo.example.org/below", "repo.example.org/below/hub"),
    ],
)
def test_image_names_begin_with_the_server_and_the_registry(base_url: str, prefix: str) -> None:
    assert registry_url(base_url, HUB) == prefix


def test_a_pull_needs_no_configuration() -> None:
    assert _texts(HERE, HUB)["shell"] == "docker pull 127.0.0.1:8081/hub/library/alpine\n"
    assert _texts(HERE, MANY)["shell"] == "docker pull 127.0.0.1:8081/many/IMAGE:TAG\n"


def test_docker_mirrors_docker_hub() -> None:
    assert json.loads(_texts(HERE, HUB)["/etc/docker/daemon.json"]) == {
        "registry-mirrors": ["http://127.0.0.1:8081/hub"],
        "insecure-registries": ["127.0.0.1:8081"],
    }


def test_docker_is_given_the_default_registry_without_a_path() -> None:
    text = _texts("https://repo.example.org", evolve(HUB, default=True))["/etc/docker/daemon.json"]
    assert json.loads(text) == {"registry-mirrors": ["https://repo.example.org"]}


def test_docker_mirrors_nothing_else() -> None:
    text = _texts(HERE, evolve(MANY, default=True))["/etc/docker/daemon.json"]
    assert json.loads(text) == {"insecure-registries": ["127.0.0.1:8081"]}
    assert "/etc/docker/daemon.json" not in _texts("https://repo.example.org", MANY)


def test_containerd_has_a_file_for_each_host_the_registry_stands_for() -> None:
    host = {"capabilities": ["pull", "resolve"], "override_path": True}
    assert _toml(HERE, HUB, "/etc/containerd/certs.d/docker.io/hosts.toml") == {
        "server": "https://registry-1.docker.io",
        "host": {"http://127.0.0.1:8081/v2/hub": host},
    }
    quay = _toml(HERE, MANY, "/etc/containerd/certs.d/quay.example.org/hosts.toml")
    assert quay["server"] == "https://quay.example.org"
    inside = _toml(HERE, MANY, "/etc/containerd/certs.d/registry.example.org:5000/hosts.toml")
    assert inside["server"] == "http://registry.example.org:5000"
    assert inside["host"] == {"http://127.0.0.1:8081/v2/many": host}


def test_a_host_that_the_registry_only_claims_is_reached_by_https() -> None:
    claiming = evolve(MANY, namespaces=("ghcr.example.org",))
    file = "/etc/containerd/certs.d/ghcr.example.org/hosts.toml"
    assert _toml(HERE, claiming, file)["server"] == "https://ghcr.example.org"


def test_podman_mirrors_each_host() -> None:
    assert _toml(HERE, HUB, "/etc/containers/registries.conf.d/virtreg-hub.conf") == {
        "registry": [
            {"location": "127.0.0.1:8081", "insecure": True},
            {
                "prefix": "docker.io",
                "location": "docker.io",
                "mirror": [{"location": "127.0.0.1:8081/hub", "insecure": True}],
            },
        ]
    }
    file = "/etc/containers/registries.conf.d/virtreg-many.conf"
    content = _toml("https://repo.example.org", MANY, file)
    assert [table["prefix"] for table in content["registry"]] == [
        "quay.example.org",
        "registry.example.org:5000",
    ]
    assert all(
        table["mirror"] == [{"location": "repo.example.org/many"}] for table in content["registry"]
    )


def test_buildkit_mirrors_each_host() -> None:
    assert _toml(HERE, HUB, "/etc/buildkit/buildkitd.toml") == {
        "registry": {
            "docker.io": {"mirrors": ["127.0.0.1:8081/hub"]},
            "127.0.0.1:8081": {"http": True},
        }
    }
    assert _toml("https://repo.example.org", HUB, "/etc/buildkit/buildkitd.toml") == {
        "registry": {"docker.io": {"mirrors": ["repo.example.org/hub"]}}
    }


def test_below_a_path_only_tools_that_take_whole_urls_are_told() -> None:
    texts = _texts("https://repo.example.org/below", HUB)
    assert list(texts) == [
        "/etc/docker/daemon.json",
        "/etc/containerd/certs.d/docker.io/hosts.toml",
    ]
    assert "https://repo.example.org/below/hub" in texts["/etc/docker/daemon.json"]
    assert '"https://repo.example.org/below/v2/hub"' in texts[list(texts)[1]]


@given(st.text(st.characters(categories=["L", "P", "S", "N", "Cc"], exclude_characters="/?#[]@:")))
def test_no_host_can_end_a_string(host: str) -> None:
    odd = evolve(MANY, namespaces=(f"h{host}",), upstreams=())
    for snippet in snippets(HERE, odd):
        if snippet.filename.endswith((".toml", ".conf")):
            assert tomllib.loads(snippet.text)

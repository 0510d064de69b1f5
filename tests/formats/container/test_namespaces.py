from __future__ import annotations

import pytest

from virtreg.formats.container.namespaces import namespace, namespaces
from virtreg.model import RegistrySpec, UpstreamSpec


@pytest.mark.parametrize(
    "host", ["docker.io", "index.docker.io", "registry-1.docker.io", "Docker.IO:443"]
)
def test_docker_hub_has_one_name(host: str) -> None:
    assert namespace(host) == "docker.io"


@pytest.mark.parametrize("host", ["docker.io:5000", "docker.io.example.org", "localhost:5000"])
def test_other_hosts_keep_theirs(host: str) -> None:
    assert namespace(host) == host


def test_a_registry_stands_for_its_upstreams_unless_it_says_otherwise() -> None:
    urls = ("https://registry-1.docker.io", "https://Quay.io", "http://quay.io/hub", "http://h:1")
    upstreams = tuple(UpstreamSpec(f"u{at}", url) for at, url in enumerate(urls))
    assert namespaces(RegistrySpec(1, "a", "container", upstreams)) == (
        "docker.io",
        "quay.io",
        "h:1",
    )
    own = RegistrySpec(1, "a", "container", upstreams, namespaces=("ghcr.io",))
    assert namespaces(own) == ("ghcr.io",)

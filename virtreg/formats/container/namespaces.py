"""The hosts that image names begin with, and what registry they mean.

Docker Hub is known by several hosts; image names call it ``docker.io``.
"""

from __future__ import annotations

from virtreg.core.weburl import check_url
from virtreg.model import RegistrySpec

DOCKER_HUB = "docker.io"

DOCKER_HUB_URL = "https://registry-1.docker.io"
"""Where Docker Hub speaks the registry protocol."""

_DOCKER_HUB_HOSTS = frozenset(
    {
        "docker.io",
        "hub.docker.com",
        "index.docker.io",
        "registry-1.docker.io",
        "registry.hub.docker.com",
        "www.docker.io",
    }
)


def namespace(authority: str) -> str:
    """The one name of a registry's ``host`` or ``host:port``: in lower case, ``docker.io`` for
    every host of Docker Hub, and without the port of https."""
    name = authority.lower().removesuffix(":443")
    return DOCKER_HUB if name in _DOCKER_HUB_HOSTS else name


def namespaces(registry: RegistrySpec) -> tuple[str, ...]:
    """What a registry stands for, each once: its own ``namespaces``, else its upstreams'."""
    named = registry.namespaces or [
        check_url(each.url).authority for each in registry.upstreams if not each.local
    ]
    return tuple(dict.fromkeys(namespace(authority) for authority in named))

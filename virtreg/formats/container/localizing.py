"""How an upstream calls a repository: Docker Hub keeps its official images below ``library/``."""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import evolve

from virtreg.formats.container.routes import split
from virtreg.model import Route, UpstreamSpec

_HUB_NAMESPACE = "library"
_HUB_HOSTS = frozenset(
    (
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "www.docker.io",
        "hub.docker.com",
        "registry.hub.docker.com",
    )
)


def localize(route: Route, upstream: UpstreamSpec) -> Route:
    """The route with the upstream's default namespace before a name of one component."""
    repository, kind, _ = split(route.path)
    if kind is None or "/" in repository:
        return route
    namespace = upstream.default_namespace
    if namespace is None and urlsplit(upstream.url).hostname in _HUB_HOSTS:
        namespace = _HUB_NAMESPACE
    return route if namespace is None else evolve(route, path=f"{namespace}/{route.path}")

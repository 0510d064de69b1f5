"""How an upstream calls a repository: Docker Hub keeps its official images below ``library/``."""

from __future__ import annotations

from functools import lru_cache

from attrs import evolve

from virtreg.core.weburl import check_url
from virtreg.formats.container.namespaces import DOCKER_HUB, namespace
from virtreg.formats.container.routes import split
from virtreg.model import Route, UpstreamSpec

_HUB_NAMESPACE = "library"


def localize(route: Route, upstream: UpstreamSpec) -> Route:
    """The route with the upstream's default namespace before a name of one component."""
    repository, kind, _ = split(route.path)
    if kind is None or "/" in repository:
        return route
    put_before = default_namespace(upstream)
    return route if put_before is None else evolve(route, path=f"{put_before}/{route.path}")


def default_namespace(upstream: UpstreamSpec) -> str | None:
    """What the upstream puts before a name of one component."""
    if upstream.default_namespace is None and not upstream.local and _is_docker_hub(upstream.url):
        return _HUB_NAMESPACE
    return upstream.default_namespace


@lru_cache(maxsize=256)
def _is_docker_hub(url: str) -> bool:
    return namespace(check_url(url).authority) == DOCKER_HUB

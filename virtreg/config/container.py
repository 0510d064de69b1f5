"""What container registries ask of a configuration, besides what every registry does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from virtreg.config.tables import RegistryTable
from virtreg.formats.container.namespaces import DOCKER_HUB, DOCKER_HUB_URL, namespace

CONTAINER = "container"

_COMPONENT = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*")
_TAKEN = {"api", "v2", "virtual_registries"}
"""Names that URLs of other registries begin with."""


def base_url(url: str) -> str:
    """An upstream's checked URL, below which ``/v2/`` is asked for. ``/v2`` at its end is taken
    away, and every host of Docker Hub becomes the one that serves images.

    Raises ValueError with the reason for a page of Docker Hub's web site.
    """
    base = url.removesuffix("/v2").rstrip("/")
    parts = urlsplit(base)
    if namespace(parts.netloc) != DOCKER_HUB:
        return base
    if parts.path:
        raise ValueError(f'is a page of Docker Hub; its registry is "{DOCKER_HUB_URL}"')
    return DOCKER_HUB_URL


def problems(registries: Sequence[RegistryTable]) -> Iterator[tuple[str, str]]:
    """``(key, reason)`` of all that cannot be: names that images cannot have, keys that mean
    nothing to other formats, and hosts that would mean two registries."""
    claimed: dict[tuple[str, str], int] = {}
    for place, table in enumerate(registries, 1):
        key = f"registry[{place}]"
        if table.format != CONTAINER:
            for name in ("namespaces", "hosts", "default"):
                if getattr(table, name):
                    yield f"{key}.{name}", f'is for registries of the format "{CONTAINER}" alone'
            continue
        yield from ((f"{key}.name", reason) for reason in _misnamed(table.name))
        if table.default and (first := claimed.setdefault(("default", ""), place)) != place:
            yield f"{key}.default", f"registry[{first}] is the default already"
        for kind, hosts in (("namespaces", table.namespaces), ("hosts", table.hosts)):
            for position, host in enumerate(hosts, 1):
                first = claimed.setdefault((kind, host), place)
                if first != place:
                    yield f"{key}.{kind}[{position}]", f'"{host}" is of registry[{first}] already'


def _misnamed(name: str) -> Iterator[str]:
    if name in _TAKEN:
        yield f'cannot be "{name}", which URLs of all container registries begin with'
    elif not _COMPONENT.fullmatch(name):
        yield (
            "is part of image names here, so it must be lower-case letters and digits, "
            "with single dots, underscores or hyphens between them"
        )

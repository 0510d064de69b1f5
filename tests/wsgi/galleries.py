"""Fixtures of registries of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from tests.wsgi.doors import PREFIXES, called, served
from tests.wsgi.images import Gallery, gallery, spec
from tests.wsgi.sites import OpenDoor

Galleries = Callable[..., Gallery]
"""Opens a gallery of the given specs with the keyword arguments of
:func:`tests.wsgi.images.gallery`; without specs, of the three of :data:`SPECS`."""

SPECS = (
    spec(1, "hub", "registry-1.docker.io", default=True),
    spec(2, "quay", "quay.io", "registry.example:5000", hosts=("images.test", "other.test:81")),
    spec(3, "claimed", "ghcr.io", namespaces=("ghcr.io", "quay.io")),
)

_WAYS = [(door, prefix) for door in (called, served) for prefix in PREFIXES]


@pytest.fixture(params=_WAYS, ids=lambda way: f"{way[0].__name__}{way[1].replace('/', '-')}")
def galleries(request: pytest.FixtureRequest) -> Iterator[Galleries]:
    """Every way in: called or over HTTP, at the root or below a prefix."""
    door, prefix = cast("tuple[OpenDoor, str]", request.param)
    yield from _factory(door, prefix)


@pytest.fixture
def quick_galleries() -> Iterator[Galleries]:
    """One way in, for what does not depend on it."""
    yield from _factory(called, "")


def _factory(door: OpenDoor, prefix: str) -> Iterator[Galleries]:
    with ExitStack() as stack:

        def make(*specs: Any, **arguments: Any) -> Gallery:
            return stack.enter_context(gallery(door, prefix, specs or SPECS, **arguments))

        yield make

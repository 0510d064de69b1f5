from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from tests.wsgi.doors import PREFIXES, called, served
from tests.wsgi.galleries import galleries, quick_galleries
from tests.wsgi.sites import OpenDoor, Site, opened

__all__ = ["galleries", "quick_galleries"]

Sites = Callable[..., Site]
"""Opens a site with the keyword arguments of :func:`tests.wsgi.sites.opened`."""

_WAYS = [(door, prefix) for door in (called, served) for prefix in PREFIXES]


@pytest.fixture(params=_WAYS, ids=lambda way: f"{way[0].__name__}{way[1].replace('/', '-')}")
def sites(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sites]:
    """Every way in: called or over HTTP, at the root or below a prefix."""
    door, prefix = cast("tuple[OpenDoor, str]", request.param)
    yield from _factory(tmp_path, door, prefix)


@pytest.fixture
def site(sites: Sites) -> Site:
    return sites()


@pytest.fixture
def quick_sites(tmp_path: Path) -> Iterator[Sites]:
    """One way in, for what does not depend on it."""
    yield from _factory(tmp_path, called, "")


@pytest.fixture
def quick_site(quick_sites: Sites) -> Site:
    return quick_sites()


def _factory(folder: Path, door: OpenDoor, prefix: str) -> Iterator[Sites]:
    with ExitStack() as stack:

        def make(**arguments: Any) -> Site:
            return stack.enter_context(opened(folder, door, prefix, **arguments))

        yield make

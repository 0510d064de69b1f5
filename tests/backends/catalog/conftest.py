"""A catalog with something in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.backends.places import Place, place
from virtreg.backends.catalog import ManagementLimits, SqlCatalog, open_catalog
from virtreg.backends.vault import MasterKeys
from virtreg.model import RegistrySpec

__all__ = ["Clock", "Open", "catalog", "clock", "opened", "place"]

Open = Callable[..., SqlCatalog]


class Clock:
    """Seconds since the epoch, as told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(place: Place, tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Open the catalog of the test's place, once more at every call."""
    with ExitStack() as stack:

        def another(
            declared: Sequence[RegistrySpec] = (), limits: ManagementLimits | None = None
        ) -> SqlCatalog:
            keys = MasterKeys(tmp_path / "secret.key")
            catalog = open_catalog(place, declared, keys=keys, clock=clock, limits=limits)
            stack.callback(catalog.close)
            return catalog

        yield another


@pytest.fixture
def catalog(opened: Open) -> SqlCatalog:
    return opened()

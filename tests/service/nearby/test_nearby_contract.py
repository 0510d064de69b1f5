"""A store with copies nearby keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.nearby.places import Nearby
from virtreg.protocols import CacheStore
from virtreg.testing.stores import CacheStoreSuite


class TestNearby(CacheStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[CacheStore]:
        nearby = Nearby(tmp_path)
        yield nearby.store
        nearby.close()

from __future__ import annotations

from pathlib import Path

import pytest

from virtreg.backends.auth.grants import Grants, Keys
from virtreg.testing.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(tmp_path: Path, clock: FakeClock) -> Keys:
    return Keys(tmp_path / "keys", clock)


@pytest.fixture
def grants(keys: Keys, clock: FakeClock) -> Grants:
    return Grants(keys, "images.example", clock)

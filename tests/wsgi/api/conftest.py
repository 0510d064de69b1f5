from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wsgi.api.desks import Desk, opened


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path / "data") as desk:
        yield desk

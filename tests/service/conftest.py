"""Hubs that are closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.hub import Hub, MakeHub
from virtreg.protocols import Upstream


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[MakeHub]:
    """Makes hubs over the given upstreams, all in one folder."""
    made: list[Hub] = []

    def make(*upstreams: Upstream, **options: Any) -> Hub:
        hub = Hub(tmp_path, upstreams, **options)
        made.append(hub)
        return hub

    yield make
    for hub in made:
        hub.close()

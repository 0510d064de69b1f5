"""Hubs that are closed whatever happens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.hub import Hub, MakeHub
from virtreg.backends.index import open_index
from virtreg.protocols import Upstream


@pytest.fixture(scope="session")
def blank_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty index: copying one is quicker than making one."""
    folder = tmp_path_factory.mktemp("blank") / "index"
    open_index(folder).close()
    return folder


@pytest.fixture
def make_hub(tmp_path: Path, blank_index: Path) -> Iterator[MakeHub]:
    """Makes hubs over the given upstreams, all in one folder."""
    made: list[Hub] = []
    shutil.copytree(blank_index, tmp_path / "index")

    def make(*upstreams: Upstream, **options: Any) -> Hub:
        hub = Hub(tmp_path, upstreams, **options)
        made.append(hub)
        return hub

    yield make
    for hub in made:
        hub.close()

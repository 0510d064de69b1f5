"""Beds that are closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.keeping.bed import Bed, MakeBed


@pytest.fixture
def make_bed(tmp_path: Path) -> Iterator[MakeBed]:
    made: list[Bed] = []

    def make(**options: Any) -> Bed:
        made.append(Bed(tmp_path / f"data{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def bed(make_bed: MakeBed) -> Bed:
    return make_bed()

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.managing.places import Command, Served
from tests.cli.managing.places import served as running


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("managed")) as server:
        yield server


@pytest.fixture(params=["here", "elsewhere"])
def run(request: pytest.FixtureRequest, served: Served) -> Command:
    """The command in a new group, where the server's data is and from elsewhere."""
    return served.command(here=request.param == "here")


@pytest.fixture
def here(served: Served) -> Command:
    return served.command(here=True)


@pytest.fixture
def elsewhere(served: Served) -> Command:
    return served.command(here=False)

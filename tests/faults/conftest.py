"""One count of all faults of a run, and its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import marked
from tests.faults.tally import Tally

ENOUGH = 300
"""Faults that a whole run injects at least."""

_TALLY = Tally()


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Of the run. At its end nothing may be wrong, late or lost; and there were enough faults, if
    all tests of this folder ran."""
    yield _TALLY
    assert (_TALLY.wrong, _TALLY.hung, _TALLY.lost) == (0, 0, 0), str(_TALLY)
    folder = Path(__file__).parent
    ran = {item.path.name for item in request.session.items if item.path.parent == folder}
    if ran == {path.name for path in folder.glob("test_*.py")}:
        assert _TALLY.injected.total() >= ENOUGH, str(_TALLY)


@pytest.fixture(scope="session", autouse=True)
def secrets_stay_secret() -> Iterator[None]:
    """Fails the run when a secret lies anywhere in what its servers wrote, whatever failed."""
    yield
    assert marked.found_in_all() == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TALLY.injected:
        terminalreporter.write_line(f"faults: {_TALLY}")

"""The figures of a server with several workers, whichever of them is asked."""

from __future__ import annotations

import os
import re
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.e2e import marked
from tests.e2e.processes import until
from tests.e2e.server import Server, Upstream
from virtreg.testing.origin import Origin

pytestmark = pytest.mark.e2e

POM = "org/example/thing/1/thing-1.pom"
REQUESTS = 60


class Workers(Server):
    """Two of them."""

    def _config(self) -> str:
        return super()._config().replace("[server]", "[server]\nworkers = 2", 1)


def _figures(server: Server) -> dict[str, float]:
    """On a connection of its own, so that any worker may answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/-/metrics") as answer:
        content = answer.read()
    assert marked.found("figures", content) == []
    page = content.decode()
    return {
        name: float(value) for name, value in re.findall(r"^(\w\S*) (\S+)$", page, re.MULTILINE)
    }


def _counted(figures: dict[str, float]) -> float:
    return sum(
        value
        for name, value in figures.items()
        if name.startswith("virtreg_requests_total") and 'registry="main"' in name
    )


def _all_count(server: Server, requests: int) -> bool:
    figures = [_figures(server) for _ in range(20)]
    return all(_counted(each) == requests and each["virtreg_processes"] == 2 for each in figures)


def test_every_worker_tells_of_all_of_them(tmp_path: Path) -> None:
    with Origin() as origin:
        origin.put(POM, b"<project/>")
        tables = {"metrics": {"enabled": True}}
        server = Workers(tmp_path, [Upstream("near", origin.url)], tables=tables)
        server.start()
        try:
            for _ in range(REQUESTS):
                with urllib.request.urlopen(f"{server.maven}/{POM}") as answer:
                    assert answer.read() == b"<project/>"
            until(lambda: _all_count(server, REQUESTS), "both workers to count everything")
            one = _workers(server)[0]
            os.kill(one, signal.SIGKILL)
            until(lambda: one not in server.pids(), "the end of one")
            until(lambda: _all_count(server, REQUESTS), "the next one, and nothing forgotten")
        finally:
            server.kill()
        server.start()
        assert _counted(_figures(server)) == 0
        server.stop()
    assert len(list((server.data / "metrics").iterdir())) == 1


def _workers(server: Server) -> list[int]:
    """Those that count."""
    files = (server.data / "metrics").glob("*/gauge_livesum_*.db")
    return [int(path.stem.rpartition("_")[2]) for path in files]

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import end, free_port, until
from virtreg.testing.origin import Origin

EXAMPLE = Path(__file__).parents[2] / "examples" / "flask_host.py"
POM = "org/example/thing/1.0/thing-1.0.pom"


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin({POM: b"<project/>"}) as origin:
        yield origin


@pytest.fixture(scope="module")
def site(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the running example."""
    folder, port = tmp_path_factory.mktemp("flask"), free_port()
    settings = {
        "VIRTREG_UPSTREAM": origin.url,
        "VIRTREG_ALLOW_PRIVATE": "127.0.0.0/8 ::1/128",
        "VIRTREG_CACHE": str(folder / "cache"),
        "PORT": str(port),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLE)], env={**os.environ, **settings}, stdout=log, stderr=log
        )
    base = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(process, base), f"answer, see {folder / 'log'}")
        yield base
    finally:
        end(process)


def answers(process: subprocess.Popen[bytes], base: str) -> bool:
    assert process.poll() is None
    try:
        return get(f"{base}/packages/-/ready")[0] == 200
    except OSError:
        return False


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_host_keeps_its_own_pages(site: str) -> None:
    status, body = get(f"{site}/")
    assert status == 200
    assert list(json.loads(body)) == ["packages served"]
    assert get(f"{site}/maven/main/{POM}")[0] == 404


def test_registries_are_below_the_prefix(site: str, origin: Origin) -> None:
    for _ in range(3):
        assert get(f"{site}/packages/maven/main/{POM}") == (200, b"<project/>")
    assert origin.count(POM) == 1
    status, body = get(f"{site}/packages/maven/main/none.pom")
    assert (status, json.loads(body)["message"]) == (404, "404 Not Found")

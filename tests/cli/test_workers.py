"""Several processes behind one port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = (sys.executable, "-W", "error", "-m", "tests.cli.small_server")
_TRIES = 20_000


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, str(folder), "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().removeprefix("Listening on ").strip()
        finally:
            process.kill()


def _answering(url: str) -> int | None:
    """The process that answers; None when the connection goes to one that has just died."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert answer.read() == b"hello\n"
            return int(answer.headers["X-Pid"])
    except (ConnectionError, urllib.error.URLError):
        return None


def _two(url: str, but: int = 0) -> set[int]:
    """Both processes, once both answer; the one ``but`` is gone."""
    found: set[int] = set()
    for _ in range(_TRIES):
        answering = _answering(url)
        if answering is not None:
            assert answering != but
            found.add(answering)
        if len(found) == 2:
            return found
    raise AssertionError(f"only {found} answer")


def test_all_workers_answer_and_one_says_so(tmp_path: Path) -> None:
    with _server(tmp_path) as (process, url):
        _two(url)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert "Listening" not in process.stdout.read()
    assert (tmp_path / "closed").exists()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with _server(tmp_path) as (process, url):
        killed = min(_two(url))
        os.kill(killed, signal.SIGKILL)
        while _answering(url) == killed:
            """Its socket closes in a moment."""
        assert killed not in _two(url, but=killed)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert "Listening" not in process.stdout.read()


def test_what_none_of_them_can_do_is_said_once(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, str(tmp_path / "nowhere"), "3"], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr == "Error: no folder nowhere\n"
    assert ended.stdout == ""


def test_what_nobody_thought_of_ends_a_server_that_starts(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, str(tmp_path / "wrong"), "2"], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.count("RuntimeError: nobody thought of that\n") == 1
    assert "Unexpected exit" not in ended.stderr


def test_a_worker_that_cannot_start_later_leaves_the_others_alone(tmp_path: Path) -> None:
    folder, away = tmp_path / "folder", tmp_path / "away"
    folder.mkdir()
    with _server(folder) as (process, url):
        killed, stays = sorted(_two(url))
        folder.rename(away)
        os.kill(killed, signal.SIGKILL)
        assert process.stderr is not None
        ended = json.loads(process.stderr.readline())
        assert ended["message"].startswith("Unexpected exit from worker-")
        assert process.stderr.readline() == "Error: no folder folder\n"
        assert {_answering(url) for _ in range(20)} - {None} == {stays}
        away.rename(folder)
        assert stays in _two(url, but=killed)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-W", "error", "-m", "tests.cli.small_server")


class Running:
    """A server process that said where it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.first = process.stdout.readline()
        self.url = self.first.removeprefix("Listening on ").strip()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), 20)


@contextmanager
def _server(folder: Path, stderr: int | None = None) -> Iterator[Running]:
    with subprocess.Popen(
        [*COMMAND, str(folder)], stdout=subprocess.PIPE, stderr=stderr, text=True
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def _until_the_end(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as answer:
        return answer.read()


def _until_refused(server: Running) -> None:
    while True:
        try:
            server.connect().close()
        except ConnectionError:
            return


def test_it_answers_as_soon_as_it_says_where(tmp_path: Path) -> None:
    with _server(tmp_path) as server:
        assert server.first.startswith("Listening on http://127.0.0.1:")
        with urllib.request.urlopen(server.url) as answer:
            assert answer.read() == b"hello\n"


def test_it_prints_what_to_paste_wherever_its_output_goes(tmp_path: Path) -> None:
    with _server(tmp_path) as server:
        assert server.process.stdout is not None
        assert any("<mirrorOf>" in line for line in iter(server.process.stdout.readline, ""))
        assert any("maven {" in line for line in iter(server.process.stdout.readline, ""))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_closes_the_application_when_told_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    with _server(tmp_path) as server:
        with urllib.request.urlopen(server.url) as answer:
            answer.read()
        server.process.send_signal(number)
        assert server.process.wait(20) == 0
    assert (tmp_path / "closed").read_text() == "1"


def test_its_files_are_for_its_own_user_alone(tmp_path: Path) -> None:
    command = [*COMMAND, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, umask=0o022) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        process.wait(20)
    assert stat.S_IMODE((tmp_path / "closed").stat().st_mode) == 0o600


def test_a_running_transfer_is_finished_before_it_closes(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with _server(tmp_path) as server, server.connect() as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        begun = b""
        while b"begin\n" not in begun:
            begun += connection.recv(4096)
        server.process.send_signal(signal.SIGTERM)
        _until_refused(server)
        assert not (tmp_path / "closed").exists()
        gate.write_bytes(b"end\n")
        assert b"end\n" in _until_the_end(connection)
        assert server.process.wait(20) == 0
    assert (tmp_path / "closed").read_text() == "1"


def test_the_worker_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    with _server(tmp_path) as server:
        server.process.kill()
        assert server.process.stdout is not None
        # Ends when the worker, who holds the other end of the pipe, has ended too.
        server.process.stdout.read()
    assert (tmp_path / "closed").read_text() == "0"


def test_an_application_that_cannot_be_built_ends_the_server_with_its_reason(
    tmp_path: Path,
) -> None:
    ended = subprocess.run(
        [*COMMAND, str(tmp_path / "nowhere")], capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1
    assert "Error: no folder nowhere\n" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_transfer_that_failed_is_told_apart_from_requests(tmp_path: Path) -> None:
    with _server(tmp_path, subprocess.PIPE) as server:
        with server.connect() as connection:
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert b"end\n" not in _until_the_end(connection)
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=20)
    record, stopping = [json.loads(line) for line in err.splitlines()]
    assert (record["level"], record["logger"]) == ("error", "_granian.utils")
    assert "No such file or directory" in record["message"]
    assert "No such file or directory" not in out
    assert (stopping["level"], stopping["logger"]) == ("info", "virtreg.cli.serving")
    assert stopping["message"] == "stopping: transfers under way have 60 seconds to end"

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.cli.commands import virtreg
from virtreg.testing.origin import Origin


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(f"[server]\nport = 9000\n{UPSTREAM}{REGISTRY}")
    return path


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(virtreg, [str(argument) for argument in arguments])


def test_the_version_is_the_packages() -> None:
    assert version("virtreg") in _run("--version").output


def test_a_file_that_is_right_is_ok(file: Path) -> None:
    result = _run("check", "--offline", file)
    assert (result.exit_code, result.output) == (0, f"{file}: ok\n")


@pytest.mark.parametrize("command", [["check", "--offline"], ["snippets"], ["serve"]])
def test_a_file_that_is_wrong_is_told_line_by_line_and_is_status_two(
    file: Path, command: list[str]
) -> None:
    file.write_text("[server]\nport = 0.5\n")
    result = _run(*command, file)
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"Error: {file}: registry: is missing",
        f"{file}: server.port: must be a whole number, not a number",
    ]


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    result = _run("check", tmp_path / "nowhere.toml")
    assert result.exit_code == 2
    assert "does not exist" in result.output


def test_snippets_point_at_the_files_own_server(file: Path) -> None:
    result = _run("snippets", file)
    assert result.exit_code == 0
    assert "<url>http://127.0.0.1:9000/maven/main/</url>" in result.output


def test_snippets_point_where_clients_reach_it(file: Path) -> None:
    result = _run("snippets", file, "--base-url", "https://Repo.example.org/builds/")
    assert "<url>https://repo.example.org/builds/maven/main/</url>" in result.output


def test_snippets_without_a_file_are_the_default_servers() -> None:
    printed = _run("snippets").output
    assert "http://127.0.0.1:8081/maven/central/" in printed
    assert "docker pull 127.0.0.1:8081/hub/library/alpine" in printed


def test_snippets_need_no_secrets(file: Path) -> None:
    text = file.read_text()
    login = 'username = "builds"\npassword = "env:VIRTREG_NOWHERE_SET"\n'
    file.write_text(text.replace('url = "', f'{login}url = "', 1))
    assert "VIRTREG_NOWHERE_SET is not set" in _run("check", "--offline", file).output
    assert _run("snippets", file).exit_code == 0
    file.write_text(file.read_text().replace("env:", ""))
    assert "plain text" in _run("snippets", file).output


def test_a_base_url_that_is_none_is_a_usage_error(file: Path) -> None:
    result = _run("snippets", file, "--base-url", "repo.example.org")
    assert result.exit_code == 2
    assert "must begin with http:// or https://" in result.output


def test_a_host_that_is_none_is_a_usage_error(file: Path) -> None:
    result = _run("serve", file, "--host", "")
    assert result.exit_code == 2
    assert "Invalid value for '--host': must be a host name or an address" in result.output


def test_check_knows_where_no_store_can_be(file: Path) -> None:
    file.write_text(f'[storage]\nurl = "nowhere://place"\n{UPSTREAM}{REGISTRY}')
    result = _run("check", "--offline", file)
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {file}: storage.url: no filesystem for ")


@pytest.mark.parametrize("url", ["", 'url = "memory://"\n'])
def test_check_knows_that_clients_are_sent_to_buckets_alone(file: Path, url: str) -> None:
    file.write_text(f'[storage]\n{url}redirect = "whole"\n{UPSTREAM}{REGISTRY}')
    result = _run("check", "--offline", file)
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {file}: storage.redirect: clients can be sent to a ")


def test_check_knows_what_is_not_installed(file: Path) -> None:
    file.write_text(f'[tracing]\nendpoint = "http://127.0.0.1:4318"\n{UPSTREAM}{REGISTRY}')
    code = "import sys; sys.modules['opentelemetry'] = None; from virtreg.cli import main; main()"
    command = [sys.executable, "-c", code, "check", "--offline", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"Error: {file}: tracing.endpoint: needs the extra virtreg[tracing]\n"


@pytest.mark.parametrize("module", ["virtreg.cli", "virtreg.cli.commands"])
def test_help_costs_no_server(module: str) -> None:
    heavy = {"granian", "rich", "cattrs", "sqlalchemy", "urllib3", "fsspec", "werkzeug"}
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (loaded.returncode, loaded.stdout) == (0, "\n")


@pytest.mark.parametrize("missing", ["click", "granian", "rich"])
def test_without_its_extra_the_command_says_what_to_install(tmp_path: Path, missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from virtreg.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--data", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == 'the command needs the extra "server": pip install "virtreg[server]"\n'


def test_it_runs_as_a_module() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "virtreg", "--help"], capture_output=True, text=True
    )
    assert ran.returncode == 0
    assert ran.stdout.startswith("Usage: virtreg ")


def test_check_asks_the_upstreams_and_fails_for_one_that_may_not_be_reached(
    tmp_path: Path,
) -> None:
    with Origin() as origin:
        upstreams = "".join(
            f'[[upstream]]\nname = "{name}"\nurl = "{origin.url}"\nallow_private = {private}\n'
            for name, private in (("open", '["127.0.0.0/8"]'), ("shut", "[]"))
        )
        file = tmp_path / "server.toml"
        file.write_text(upstreams + REGISTRY.replace('"central"', '"open", "shut"'))
        result = _run("check", file)
        assert [request.method for request in origin.requests] == ["HEAD"]

    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[:2] == [f"{file}: ok", "ok: upstream 'open': answered 404"]
    assert lines[2].startswith("problem: upstream 'shut': ")

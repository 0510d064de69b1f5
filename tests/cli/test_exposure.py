"""A data folder that other accounts may read is told of where not everybody may pull."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg import build, default_config
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.auth.header import TrustedHeader
from virtreg.cli.commands import virtreg
from virtreg.config.values import AccessConfig
from virtreg.protocols import Authenticator


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "virtreg-data"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def check(folder: Path, access: str = "") -> Result:
    file = folder / "server.toml"
    file.write_text(f"{access}{UPSTREAM}{REGISTRY}")
    return CliRunner().invoke(virtreg, ["check", "--offline", str(file)])


def test_check_tells_of_it_and_is_content_with_the_file(data: Path) -> None:
    restricted = "[access]\nenabled = true\n"
    result = check(data.parent, restricted)
    assert (result.exit_code, result.stdout) == (0, f"{data.parent}/server.toml: ok\n")
    assert result.stderr.startswith(f"warning: data folder {data}: other accounts")
    assert result.stderr.endswith(f"(mode 0755); run `chmod 700 {data}`\n")
    data.chmod(0o700)
    assert check(data.parent, restricted).stderr == ""


def test_check_has_nothing_to_tell_where_everybody_may_pull(data: Path) -> None:
    assert check(data.parent).stderr == ""


def warned(
    data: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    enabled: bool = False,
    authenticator: Authenticator | None = None,
) -> list[str]:
    config = evolve(default_config(data), access=AccessConfig(enabled=enabled))
    with caplog.at_level(logging.WARNING, "virtreg"):
        build(config, authenticator=authenticator).close()
    return [record.getMessage() for record in caplog.records]


def test_the_log_tells_of_it_at_the_start(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    (line,) = warned(data, caplog, enabled=True)
    assert f"run `chmod 700 {data}`" in line


def test_the_log_tells_of_it_where_a_host_decides(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (line,) = warned(data, caplog, authenticator=TrustedHeader("X-User", ["127.0.0.1"]))
    assert str(data) in line


@pytest.mark.parametrize("authenticator", [None, Anonymous()])
def test_the_log_has_nothing_to_tell_where_everybody_may_pull(
    data: Path, caplog: pytest.LogCaptureFixture, authenticator: Authenticator | None
) -> None:
    enabled = authenticator is not None
    assert warned(data, caplog, enabled=enabled, authenticator=authenticator) == []


def test_a_folder_made_at_the_start_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert warned(tmp_path / "new", caplog, enabled=True) == []

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.cli.launch import Launch


@pytest.mark.parametrize(
    ("file", "option", "offline"),
    [("false", False, False), ("true", False, True), ("false", True, True), ("true", True, True)],
)
def test_a_server_is_offline_when_the_file_or_the_option_says_so(
    tmp_path: Path, file: str, option: bool, offline: bool
) -> None:
    path = tmp_path / "server.toml"
    path.write_text(f"[server]\noffline = {file}\n{UPSTREAM}{REGISTRY}")
    assert Launch(file=path, offline=option).config().server.offline is offline


def test_the_default_server_can_be_offline(tmp_path: Path) -> None:
    assert Launch(data=tmp_path, offline=True).config().server.offline

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.cli.commands import virtreg


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(f'[server]\naudit_log = "audit"\n{UPSTREAM}{REGISTRY}')
    return path


def _run(file: Path, line: str) -> str:
    result = CliRunner().invoke(virtreg, [*line.split(), "--config", str(file)])
    assert result.exit_code == 0, result.output
    return result.stdout


def _audited(file: Path) -> list[tuple[str, str, str]]:
    lines = map(json.loads, (file.parent / "audit").read_text().splitlines())
    return [(line["subject"], line["target"], line["change"]) for line in lines]


def test_every_command_that_changes_who_may_what_is_audited(file: Path) -> None:
    for line in (
        "user add ann",
        "user add root --administrator",
        "group add builds",
        "member set builds ann developer",
        "member remove builds ann",
        "group switch builds off",
        "user block ann",
        "user unblock ann",
        "user remove ann",
    ):
        _run(file, line)
    assert _audited(file) == [
        ("user", "ann", "added"),
        ("user", "root", "added as an administrator"),
        ("group", "builds", "added"),
        ("member", "builds/ann", "made developer"),
        ("member", "builds/ann", "removed"),
        ("group", "builds", "turned off"),
        ("user", "ann", "blocked"),
        ("user", "ann", "unblocked"),
        ("user", "ann", "removed"),
    ]


def test_tokens_are_audited_by_their_id_and_never_shown(file: Path) -> None:
    _run(file, "user add ann")
    made = json.loads(_run(file, "token create --kind personal --user ann --json"))
    _run(file, f"token revoke {made['id']}")
    assert _audited(file)[1:] == [
        ("token", made["id"], "made for ann"),
        ("token", made["id"], "revoked"),
    ]
    assert made["secret"] not in (file.parent / "audit").read_text()


def test_lists_and_what_is_refused_are_no_changes(file: Path) -> None:
    _run(file, "user add ann")
    _run(file, "user list")
    again = CliRunner().invoke(virtreg, ["user", "add", "ann", "--config", str(file)])
    assert again.exit_code == 1
    assert len(_audited(file)) == 1


def test_a_log_that_cannot_be_written_is_told(file: Path) -> None:
    (file.parent / "audit").mkdir()
    result = CliRunner().invoke(virtreg, ["user", "add", "ann", "--config", str(file)])
    assert result.exit_code == 1
    assert re.search(r"cannot write \S+/audit: Is a directory", result.output)

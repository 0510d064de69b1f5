"""The keys that grants are signed with, as they are managed on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.access import KEYS
from virtreg.backends.auth.grants import Grants, Keys
from virtreg.cli.commands import virtreg
from virtreg.errors import Unauthenticated
from virtreg.model import Principal

ANN = Principal("ann", "17")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(f'[server]\naudit_log = "audit"\n{UPSTREAM}{REGISTRY}')
    return path


@pytest.fixture
def folder(file: Path) -> Path:
    return file.parent / "virtreg-data" / KEYS


@pytest.fixture
def kid(folder: Path) -> str:
    """Of the key that a server made."""
    return Keys(folder).newest().kid


def _run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(virtreg, ["keys", *arguments, "--config", str(file)])


def _audited(file: Path) -> list[tuple[str, str]]:
    lines = map(json.loads, (file.parent / "audit").read_text().splitlines())
    return [(line["secret"], line["change"]) for line in lines]


def test_keys_are_listed_and_never_shown(file: Path, folder: Path, kid: str) -> None:
    assert _run(file, "rotate").exit_code == 0
    table = _run(file, "list")
    assert table.exit_code == 0
    head, old, new = table.stdout.splitlines()
    assert head.split() == ["NUMBER", "STATE", "CREATED", "AT", "UNTIL", "KID"]
    assert (old.split()[:2], old.split()[-1]) == (["1", "verifies"], kid)
    assert (new.split()[:2], new.split()[3]) == (["2", "signs"], "-")
    rows = json.loads(_run(file, "list", "--json").stdout)
    assert [row["number"] for row in rows] == [1, 2]
    assert rows[0]["until"] > rows[0]["created_at"]
    pem = json.loads((folder / "000001.json").read_text())["private_key"]
    assert not any(line in table.stdout for line in pem.splitlines())


def test_after_a_rotation_older_tokens_are_good_and_new_ones_have_the_new_key(
    file: Path, folder: Path, kid: str
) -> None:
    shown = Grants(Keys(folder), "here").issue(ANN, ()).text
    result = _run(file, "rotate")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("key 2 signs from now on")
    keys = Keys(folder)
    assert Grants(keys, "here").verify(shown).principal == ANN
    assert keys.newest().kid != kid
    assert _audited(file) == [("signing key 2", "set")]


def test_a_removed_key_ends_what_it_signed(file: Path, folder: Path, kid: str) -> None:
    shown = Grants(Keys(folder), "here").issue(ANN, ()).text
    result = _run(file, "remove", "1")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("key 1 is removed, key 2 signs")
    grants = Grants(Keys(folder), "here")
    with pytest.raises(Unauthenticated):
        grants.verify(shown)
    assert grants.verify(grants.issue(ANN, ()).text).kid != kid
    assert _audited(file) == [("signing key 1", "removed"), ("signing key 2", "set")]


def test_an_old_key_is_removed_without_another_being_made(
    file: Path, folder: Path, kid: str
) -> None:
    signing = Keys(folder).rotate()
    assert _run(file, "remove", "1").exit_code == 0
    assert Keys(folder).newest() == signing
    assert _audited(file) == [("signing key 1", "removed")]


@pytest.mark.parametrize(("number", "status"), [("2", 1), ("0", 2), ("one", 2)])
def test_a_key_that_is_not_there_is_a_slip(
    file: Path, folder: Path, kid: str, number: str, status: int
) -> None:
    result = _run(file, "remove", number)
    assert result.exit_code == status
    assert number in result.output
    assert Keys(folder).newest().kid == kid
    assert not (file.parent / "audit").exists()


@pytest.mark.parametrize("command", [["list"], ["rotate"], ["remove", "1"]])
def test_a_folder_without_keys_is_named_and_stays_as_it_is(
    file: Path, folder: Path, command: list[str]
) -> None:
    result = _run(file, *command)
    assert result.exit_code == 1
    assert f"there is no folder {folder}" in result.output
    assert not folder.exists()


def test_which_server_is_meant_must_be_said() -> None:
    result = CliRunner().invoke(virtreg, ["keys", "list"])
    assert result.exit_code == 2
    assert "--config FILE or --data FOLDER" in result.output


def test_a_key_that_others_may_use_is_told_with_what_to_do(
    file: Path, folder: Path, kid: str
) -> None:
    path = folder / "000001.json"
    path.chmod(0o644)
    result = _run(file, "list")
    assert result.exit_code == 2
    assert f"chmod 600 {path}" in result.output


def test_the_real_command_rotates_beside_a_server(folder: Path, kid: str) -> None:
    command = [sys.executable, "-m", "virtreg", "keys", "rotate", "--data", str(folder.parent)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    assert [key.number for key in Keys(folder).verifying()] == [1, 2]

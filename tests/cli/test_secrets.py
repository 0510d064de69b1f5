from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.config.writing import REGISTRY, UPSTREAM
from virtreg.backends.catalog import open_catalog
from virtreg.backends.vault import VARIABLE, MasterKeys, Vault
from virtreg.cli.commands import virtreg
from virtreg.model import Secret

VALUE = "correct horse battery staple"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    used = 'username = "robot"\npassword = "vault:nexus"\n'
    path.write_text(f'[server]\naudit_log = "audit"\n{UPSTREAM}{used}{REGISTRY}')
    return path


def _run(file: Path, *arguments: str, said: str | bytes = "", **environ: str) -> Result:
    command = ["secrets", *arguments, "--config", str(file)]
    return CliRunner().invoke(virtreg, command, input=said, env=environ)


def _vault(file: Path) -> Vault:
    return Vault(file.parent / "virtreg-data", MasterKeys.found({}, file.parent))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_from_standard_input_is_kept_and_not_repeated(file: Path, end: str) -> None:
    result = _run(file, "set", "nexus", said=VALUE + end)
    assert result.exit_code == 0, result.output
    assert result.stderr == 'kept; write "vault:nexus" where it is needed\n'
    assert result.stdout == ""
    assert _vault(file).read("nexus") == Secret(VALUE)
    checked = CliRunner().invoke(virtreg, ["check", "--offline", str(file)])
    assert checked.output == f"{file}: ok\n"


def test_on_a_terminal_it_is_asked_for_without_being_shown(file: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "virtreg", "secrets", "set", "nexus", "--config", str(file)]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            shown = _read(ours, until=b"Secret nexus: ")
            os.write(ours, f"{VALUE}\n".encode())
            shown += _read(ours)
        finally:
            os.close(ours)  # and so it ends, whatever it waits for
        assert process.wait(60) == 0, shown
    assert VALUE.encode() not in shown
    assert _vault(file).read("nexus") == Secret(VALUE)


def _read(terminal: int, until: bytes | None = None) -> bytes:
    """What is shown, to the end when nothing is waited for."""
    shown = b""
    while until is None or until not in shown:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, shown
        try:
            shown += os.read(terminal, 1024)
        except OSError:  # how Linux says that the other end is closed
            break
    return shown


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "the secret is empty"),
        ("\n", "the secret is empty"),
        ("two\nlines", "the secret holds a control character or a line break"),
        (b"\xff\xfehunter2", "the secret is not UTF-8 text"),
        ("a" * 20_000, "the secret is longer than 16384 bytes"),
    ],
)
def test_what_no_upstream_could_be_sent_is_refused(
    file: Path, said: str | bytes, reason: str
) -> None:
    result = _run(file, "set", "nexus", said=said)
    assert (result.exit_code, result.output) == (1, f"Error: {reason}\n")
    assert _vault(file).kept() == []


def test_a_secret_among_the_arguments_is_refused_and_not_repeated(file: Path) -> None:
    result = _run(file, "set", "nexus", VALUE, said="other")
    assert result.exit_code == 2
    assert "the secret is asked for, or read from standard input" in result.stderr
    assert VALUE not in result.output
    assert _vault(file).kept() == []


def test_a_secret_can_be_for_one_upstream(file: Path) -> None:
    assert _run(file, "set", "nexus", "--upstream", "central", said=VALUE).exit_code == 0
    assert _vault(file).read("nexus", "central") == Secret(VALUE)
    assert [kept.upstream for kept in _vault(file).kept()] == ["central"]


def test_an_upstream_that_is_not_there_is_a_slip(file: Path) -> None:
    result = _run(file, "set", "nexus", "--upstream", "centrla", said=VALUE)
    assert result.exit_code == 2
    assert f"there is no upstream 'centrla' in {file}" in result.output
    assert _vault(file).kept() == []


def test_a_name_that_could_not_be_written_is_refused(file: Path) -> None:
    result = _run(file, "set", "two words", said=VALUE)
    assert result.exit_code == 2
    assert "'NAME': must be 1 to 255 letters" in result.output


def test_secrets_are_listed_by_name_and_never_shown(file: Path) -> None:
    _run(file, "set", "two", said=VALUE)
    _run(file, "set", "one", "--upstream", "central", said=VALUE)
    head, *lines = _run(file, "list").stdout.splitlines()
    assert head.split("  ")[0] == "NAME"
    assert [line.split()[0] for line in lines] == ["one", "two"]
    assert "central" in lines[0]
    rows = json.loads(_run(file, "list", "--json").stdout)
    assert [(row["name"], row["upstream"]) for row in rows] == [("one", "central"), ("two", None)]
    assert all(row["set_at"].endswith("Z") for row in rows)
    assert rows[0].keys() == {"name", "upstream", "set_at"}


def test_what_is_removed_is_gone(file: Path) -> None:
    _run(file, "set", "nexus", said=VALUE)
    assert _run(file, "remove", "nexus").exit_code == 0
    again = _run(file, "remove", "nexus")
    assert again.exit_code == 1
    assert "there is no secret 'nexus'" in again.output


def test_rotation_changes_the_key_and_no_secret(file: Path) -> None:
    _run(file, "set", "nexus", said=VALUE)
    before = _vault(file).keys.read()
    result = _run(file, "rotate", "--forget-old")
    assert result.stderr == f"sealed 1 with the newest key of {file.parent}/secret.key\n"
    assert not set(before) & set(_vault(file).keys.read())
    assert _vault(file).read("nexus") == Secret(VALUE)


def test_rotation_takes_the_passwords_of_stored_upstreams_along(file: Path) -> None:
    folder, keys = file.parent / "virtreg-data", MasterKeys(file.parent / "secret.key")
    with closing(open_catalog(folder, keys=keys)) as catalog:
        registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
        login = {"username": "bob", "password": Secret(VALUE)}
        catalog.add_upstream(registry, {"name": "u", "url": "https://u.example/", **login})
        before = keys.read()
        result = _run(file, "rotate", "--forget-old")
        assert result.stderr == f"sealed 1 with the newest key of {keys}\n"
        assert not set(before) & set(keys.read())
        found = catalog.registries()
    with closing(open_catalog(folder, keys=keys)) as catalog:
        assert catalog.registries() == found
        assert found[0].upstreams[0].password == Secret(VALUE)


def test_keys_of_the_environment_are_made_and_used(file: Path) -> None:
    old, new = (_key() for _ in range(2))
    _run(file, "set", "nexus", said=VALUE, **{VARIABLE: old})
    refused = _run(file, "rotate", **{VARIABLE: old})
    assert refused.exit_code == 2
    assert "put a new one before it" in refused.output
    assert _run(file, "rotate", **{VARIABLE: f"{new},{old}"}).exit_code == 0
    vault = Vault(file.parent / "virtreg-data", MasterKeys.found({VARIABLE: new}, file.parent))
    assert vault.read("nexus") == Secret(VALUE)
    assert not (file.parent / "secret.key").exists()


def _key() -> str:
    return CliRunner().invoke(virtreg, ["secrets", "key"]).stdout.strip()


def test_keys_that_cannot_be_used_are_status_two_and_not_quoted(file: Path) -> None:
    result = _run(file, "set", "nexus", said=VALUE, **{VARIABLE: "hunter2"})
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {VARIABLE}: key 1 is not a key")
    assert "hunter2" not in result.output


def test_the_data_folder_may_be_another(file: Path, tmp_path: Path) -> None:
    _run(file, "set", "nexus", "--data", str(tmp_path / "other"), said=VALUE)
    assert _vault(file).kept() == []
    vault = Vault(tmp_path / "other", MasterKeys.found({}, tmp_path))
    assert vault.read("nexus") == Secret(VALUE)


def test_every_change_is_audited_without_its_value(file: Path) -> None:
    _run(file, "set", "nexus", "--upstream", "central", said=VALUE)
    _run(file, "rotate")
    _run(file, "remove", "nexus")
    text = (file.parent / "audit").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    facts = [(line["change"], line.get("secret"), line.get("upstream")) for line in lines]
    assert facts == [
        ("set", "nexus", "central"),
        ("rotated", None, None),
        ("removed", "nexus", None),
    ]
    assert all(line["actor"].startswith("local:") for line in lines)
    assert VALUE not in text

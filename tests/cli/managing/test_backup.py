"""``virtreg backup``, on a folder of its own."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.config.writing import REGISTRY, UPSTREAM
from tests.service.hub import entry_of
from virtreg import build, load
from virtreg.backends.index import open_index
from virtreg.cli.commands import virtreg


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of a server that has run."""
    file = tmp_path / "server.toml"
    file.write_text(UPSTREAM + REGISTRY)
    with build(load(file, {})) as assembly:
        assembly.index.put([entry_of("a", "p", b"x")])
    return file


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(virtreg, [str(each) for each in arguments])


def test_the_copy_holds_the_databases_and_no_master_key(file: Path, tmp_path: Path) -> None:
    data = tmp_path / "virtreg-data"
    (data / "secret.key").write_text("a key")
    (data / "secrets.json").write_text("{}")
    (data / "keys").mkdir(exist_ok=True)
    (data / "keys" / "000001.json").write_text("a signing key")
    (data / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    result = _run("backup", file, "--to", tmp_path / "copy")
    assert result.exit_code == 0, result.stderr
    copied = {each.name for each in (tmp_path / "copy").iterdir()}
    databases = {each.name for each in data.glob("*.sqlite")}
    assert databases
    assert copied == {*databases, "secrets.json"}
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    for name in databases:
        assert (tmp_path / "copy" / name).stat().st_mode & 0o077 == 0
    with closing(open_index(tmp_path / "copy")) as index:
        assert index.find("p", ["a"]) == [entry_of("a", "p", b"x")]


def test_a_master_key_by_another_name_is_not_copied_either(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "virtreg-data"
    (data / "master.key").write_text("a key")
    (data / "notes.txt").write_text("mine")
    monkeypatch.setenv("VIRTREG_SECRET_KEY_FILE", str(data / "master.key"))
    result = _run("backup", file, "--to", tmp_path / "copy")
    assert result.exit_code == 0, result.stderr
    copied = {each.name for each in (tmp_path / "copy").iterdir()}
    assert "notes.txt" in copied
    assert "master.key" not in copied


def test_the_copy_is_of_one_moment_while_the_server_writes(file: Path, tmp_path: Path) -> None:
    data, stopping, begun = tmp_path / "virtreg-data", threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        with closing(open_index(data)) as index:
            while not stopping.is_set():
                pair = [entry_of("a", f"{side}{number}", b"x") for side in "lr"]
                index.put(pair)
                begun.set()
                number += 1

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(30)
    try:
        for number in range(5):
            result = _run("backup", "--data", data, "--to", tmp_path / f"copy{number}")
            assert result.exit_code == 0, result.stderr
    finally:
        stopping.set()
        thread.join()
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"copy{number}" / "index.sqlite")) as connection:
            (check,) = connection.execute("PRAGMA integrity_check").fetchone()
            left, right = (
                connection.execute("SELECT count(*) FROM entries WHERE path LIKE ?", (f"{side}%",))
                for side in "lr"
            )
            assert check == "ok"
            assert left.fetchone() == right.fetchone()


def test_nothing_is_overwritten_and_nothing_half_is_left(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.mkdir()
    assert "is there already" in _run("backup", file, "--to", target).stderr
    target.rmdir()
    database = next((tmp_path / "virtreg-data").glob("index.sqlite"))
    database.write_bytes(b"no database at all")
    failed = _run("backup", file, "--to", target)
    assert failed.exit_code == 1
    assert "cannot copy the database index.sqlite" in failed.stderr
    assert {each.name for each in tmp_path.iterdir()} == {"server.toml", "virtreg-data"}


def test_only_the_data_of_a_server_is_copied(tmp_path: Path, file: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        "no server"
        in _run("backup", "--data", tmp_path / "empty", "--to", tmp_path / "copy").stderr
    )
    assert _run("backup", "--to", tmp_path / "copy").exit_code == 2
    shutil.rmtree(tmp_path / "virtreg-data")
    assert "no server" in _run("backup", file, "--to", tmp_path / "copy").stderr

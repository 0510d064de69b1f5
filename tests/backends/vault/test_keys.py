from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import evolve

from virtreg.backends.vault import FILE, VARIABLE, MasterKeys, new_key
from virtreg.errors import ConfigError
from virtreg.model import Secret


def _file(folder: Path, content: str | bytes, mode: int = 0o600) -> MasterKeys:
    path = folder / "secret.key"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return MasterKeys(path)


def test_keys_are_one_a_line_or_between_commas(tmp_path: Path) -> None:
    one, two = new_key(), new_key()
    assert _file(tmp_path, f"{one.reveal()}\n{two.reveal()}\n").read() == (one, two)
    text = Secret(f" {one.reveal()}, {two.reveal()},")
    assert MasterKeys(tmp_path, text).read() == (one, two)


def test_the_environment_says_where_the_keys_are(tmp_path: Path) -> None:
    key = new_key()
    assert MasterKeys.found({}, tmp_path).path == tmp_path / "secret.key"
    assert MasterKeys.found({FILE: "/run/keys"}, tmp_path).path == Path("/run/keys")
    assert MasterKeys.found({VARIABLE: key.reveal()}, tmp_path).read() == (key,)


@pytest.mark.parametrize("text", ["", "hunter2", "A" * 40, "é" * 44])
def test_what_is_no_key_is_counted_and_not_quoted(tmp_path: Path, text: str) -> None:
    good = new_key().reveal()
    given = MasterKeys(tmp_path, Secret(f"{good},{text}" if text else ""))
    with pytest.raises(ConfigError, match=f"^{VARIABLE}: (key 2 is not a|holds no) key") as caught:
        given.read()
    assert not text or text not in str(caught.value)
    assert good not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"a" * 100_000])
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, content: bytes) -> None:
    keys = _file(tmp_path, content)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(keys.path))}: "):
        keys.read()


@pytest.mark.parametrize("mode", [0o644, 0o606, 0o620, 0o601])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    keys = _file(tmp_path, new_key().reveal(), mode)
    with pytest.raises(
        ConfigError, match=rf"others may read or write it \(mode {mode:04o}\)"
    ) as it:
        keys.read()
    assert f"run `chmod 600 {keys.path}`, and `virtreg secrets rotate`" in it.value.message


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_a_file_of_the_owners_or_his_groups_is_taken(tmp_path: Path, mode: int) -> None:
    assert len(_file(tmp_path, new_key().reveal(), mode).read()) == 1


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"cannot read {tmp_path}: Is a directory"):
        MasterKeys(tmp_path).read()
    nowhere = tmp_path / "nowhere" / "secret.key"
    with pytest.raises(ConfigError, match=f"cannot write {nowhere}: No such file"):
        MasterKeys(nowhere).make()


def test_a_file_is_made_once(tmp_path: Path) -> None:
    keys = MasterKeys(tmp_path / "secret.key")
    assert keys.read() == ()
    sealed = keys.make().encrypt(b"text")
    assert keys.make().decrypt(sealed) == b"text"


def test_shared_keys_are_made_by_nobody_here(tmp_path: Path) -> None:
    keys = MasterKeys.found({}, tmp_path, shared=True)
    for use in (keys.make, keys.cipher):
        with pytest.raises(ConfigError, match="all nodes of a database need the same keys"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_shared_key_is_renewed_by_who_gives_it_to_all(tmp_path: Path) -> None:
    old, new = new_key().reveal(), new_key().reveal()
    keys = evolve(_file(tmp_path, f"{old}\n"), shared=True)
    with pytest.raises(ConfigError, match="put a new one on a line above it on every node"):
        keys.renew()
    assert keys.path.read_text() == f"{old}\n"
    keys = evolve(_file(tmp_path, f"{new}\n{old}\n"), shared=True)
    keys.renew()
    assert keys.path.read_text() == f"{new}\n{old}\n"
    sealed = keys.make().encrypt(b"text")
    assert MasterKeys(tmp_path, Secret(new)).cipher().decrypt(sealed) == b"text"

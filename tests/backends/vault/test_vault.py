from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from virtreg.backends.vault import MasterKeys, Vault, new_key
from virtreg.errors import ConfigError, Forbidden, NotFound, StorageError
from virtreg.model import Secret

VALUE = Secret("correct horse battery staple")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return _vault(tmp_path)


def _vault(folder: Path, at: float = 1_000.0) -> Vault:
    return Vault(folder / "data", MasterKeys(folder / "secret.key"), lambda: at)


def _sealed(vault: Vault) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(vault.path.read_bytes())["secrets"]
    return found


def _rewrite(vault: Vault, rows: dict[str, dict[str, object]]) -> None:
    vault.path.write_text(json.dumps({"version": 1, "secrets": rows}))


def test_a_secret_comes_back_from_another_process(tmp_path: Path) -> None:
    _vault(tmp_path).set("nexus", VALUE)
    assert _vault(tmp_path).read("nexus") == VALUE
    assert _vault(tmp_path).read("nexus", "any upstream") == VALUE


def test_files_hold_nothing_in_clear_and_are_for_the_owner_alone(vault: Vault) -> None:
    vault.set("nexus", VALUE)
    for path in (vault.path, vault.keys.path):
        assert VALUE.reveal().encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(vault.folder.stat().st_mode) == 0o700


def test_nothing_is_left_beside_the_files(vault: Vault) -> None:
    vault.set("nexus", VALUE)
    vault.rotate()
    assert [path.name for path in vault.folder.iterdir()] == ["secrets.json"]
    assert sorted(path.name for path in vault.folder.parent.iterdir()) == ["data", "secret.key"]


def test_setting_again_replaces(vault: Vault) -> None:
    vault.set("nexus", Secret("old"), "inside")
    vault.set("nexus", VALUE)
    assert vault.read("nexus") == VALUE
    assert [(kept.name, kept.upstream) for kept in vault.kept()] == [("nexus", None)]


def test_what_is_kept_is_told_without_a_key(vault: Vault) -> None:
    vault.set("two", VALUE, "inside")
    vault.set("one", VALUE)
    vault.keys.path.unlink()
    kept = [(kept.name, kept.upstream, kept.set_at) for kept in vault.kept()]
    assert kept == [("one", None, 1_000.0), ("two", "inside", 1_000.0)]


def test_what_is_removed_is_gone(vault: Vault) -> None:
    vault.set("nexus", VALUE)
    vault.remove("nexus")
    for call in (vault.read, vault.remove):
        with pytest.raises(NotFound, match="no secret 'nexus'"):
            call("nexus")


def test_a_secret_of_one_upstream_is_not_given_to_another(vault: Vault) -> None:
    vault.set("nexus", VALUE, "inside")
    assert vault.read("nexus", "inside") == VALUE
    for other in ("outside", None):
        with pytest.raises(Forbidden, match="for upstream 'inside' alone"):
            vault.read("nexus", other)


@pytest.mark.parametrize(
    "changed",
    [
        {"other": {"upstream": "inside"}},
        {"nexus": {"upstream": "outside"}},
        {"nexus": {"upstream": None}},
    ],
)
def test_a_sealed_text_does_not_open_where_it_was_not_sealed_for(
    vault: Vault, changed: dict[str, dict[str, object]]
) -> None:
    vault.set("nexus", VALUE, "inside")
    row = _sealed(vault)["nexus"]
    ((name, facts),) = changed.items()
    _rewrite(vault, {name: {**row, **facts}})
    upstream = facts["upstream"]
    assert upstream is None or isinstance(upstream, str)
    with pytest.raises(ConfigError, match=f"secret '{name}' was sealed for another") as caught:
        vault.read(name, upstream)
    assert VALUE.reveal() not in str(caught.value)
    with pytest.raises(ConfigError, match="was sealed for another"):
        vault.rotate()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(min_size=1), st.text(), st.none() | st.text())
def test_any_text_comes_back(vault: Vault, name: str, value: str, upstream: str | None) -> None:
    try:
        json.dumps([name, value, upstream], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    vault.set(name, Secret(value), upstream)
    assert vault.read(name, upstream).reveal() == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_changed_text_opens(vault: Vault, data: st.DataObject) -> None:
    vault.set("nexus", VALUE)
    row = _sealed(vault)["nexus"]
    text = str(row["sealed"])
    changed = data.draw(
        st.text()
        | st.integers(0, len(text) - 1).map(lambda at: text[:at] + text[at + 1 :])
        | st.integers(0, len(text) - 3).map(
            lambda at: text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        )
    )
    _rewrite(vault, {"nexus": {**row, "sealed": changed}})
    with pytest.raises(ConfigError, match="'nexus' does not open"):
        vault.read("nexus")


def test_rotation_seals_everything_with_a_new_key(vault: Vault) -> None:
    vault.set("one", VALUE, "inside")
    vault.set("two", Secret("other"))
    before, (old,) = _sealed(vault), vault.keys.read()
    assert vault.rotate() == 2
    newest, *others = vault.keys.read()
    assert newest != old
    assert others == [old]
    alone = Vault(vault.folder, MasterKeys(Path("/nowhere"), newest))
    assert alone.read("one", "inside") == VALUE
    assert alone.read("two") == Secret("other")
    assert all(row["set_at"] == 1_000.0 for row in _sealed(vault).values())
    _rewrite(vault, before)
    assert vault.read("two") == Secret("other")


def test_forgotten_keys_open_nothing_any_more(vault: Vault) -> None:
    vault.set("nexus", VALUE)
    before, (old,) = _sealed(vault), vault.keys.read()
    vault.rotate(forget_old=True)
    assert len(vault.keys.read()) == 1
    assert old not in vault.keys.read()
    assert vault.read("nexus") == VALUE
    _rewrite(vault, before)
    with pytest.raises(ConfigError, match="does not open"):
        vault.read("nexus")


def test_rotation_that_meets_a_secret_it_cannot_open_changes_nothing(vault: Vault) -> None:
    vault.set("good", VALUE)
    vault.set("nexus", VALUE)
    rows = _sealed(vault)
    _rewrite(vault, {**rows, "nexus": {**rows["nexus"], "sealed": "gAAAA"}})
    before = vault.path.read_bytes(), vault.keys.path.read_bytes()
    with pytest.raises(ConfigError, match="secret 'nexus' does not open"):
        vault.rotate()
    assert (vault.path.read_bytes(), vault.keys.path.read_bytes()) == before


def test_rotation_by_keys_of_the_environment_takes_the_first(tmp_path: Path) -> None:
    old, new = new_key().reveal(), new_key().reveal()

    def given_keys(*keys: str) -> Vault:
        return Vault(tmp_path, MasterKeys(tmp_path / "unused", Secret(",".join(keys))))

    given_keys(old).set("nexus", VALUE)
    with pytest.raises(ConfigError, match="holds one key: put a new one before it"):
        given_keys(old).rotate()
    assert given_keys(new, old).rotate() == 1
    assert given_keys(new).read("nexus") == VALUE
    with pytest.raises(ConfigError, match=r"does not open .*\(VIRTREG_SECRET_KEYS\)"):
        given_keys(old).read("nexus")
    assert not (tmp_path / "unused").exists()


def test_a_lost_key_is_not_replaced_by_one_that_opens_nothing(vault: Vault) -> None:
    vault.set("nexus", VALUE)
    vault.keys.path.unlink()
    with pytest.raises(ConfigError, match="there is no key"):
        vault.set("other", VALUE)
    assert not vault.keys.path.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", 'has no "secrets"'),
        (b'{"secrets": {}}', "another version"),
        (b'{"version": 1, "secrets": {"a": {"sealed": 1}}}', "secret 'a' is damaged"),
        (b'{"version": 1, "secrets": {"a": "text"}}', "secret 'a' is damaged"),
    ],
)
def test_a_damaged_file_is_named(vault: Vault, content: bytes, reason: str) -> None:
    vault.folder.mkdir()
    vault.path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(vault.path))}: .*{reason}"):
        vault.read("a")


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StorageError, match=f"cannot change {tmp_path}/data: File exists"):
        _vault(tmp_path).set("nexus", VALUE)


def test_the_keys_may_lie_in_the_data_folder(tmp_path: Path) -> None:
    vault = Vault(tmp_path, MasterKeys(tmp_path / "secret.key"))
    vault.set("nexus", VALUE)
    vault.rotate()
    assert vault.read("nexus") == VALUE


def test_many_threads_that_set_and_rotate_lose_nothing(tmp_path: Path) -> None:
    def one(number: int) -> None:
        vault = _vault(tmp_path)
        vault.set(f"secret{number}", Secret(f"value{number}"))
        if number % 4 == 0:
            vault.rotate(forget_old=True)
        assert vault.read(f"secret{number}") == Secret(f"value{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(16)))
    vault = _vault(tmp_path)
    assert {kept.name for kept in vault.kept()} == {f"secret{number}" for number in range(16)}
    assert all(vault.read(f"secret{number}") == Secret(f"value{number}") for number in range(16))


def test_processes_that_begin_together_agree_on_the_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from virtreg.backends.vault import MasterKeys, Vault\n"
        "from virtreg.model import Secret\n"
        "folder = Path(sys.argv[1])\n"
        "vault = Vault(folder / 'data', MasterKeys(folder / 'secret.key'))\n"
        "sys.stdin.read()\n"
        "vault.set(sys.argv[2], Secret(sys.argv[2]))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), name], stdin=subprocess.PIPE, text=True
        )
        for name in ("a", "b", "c")
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [_vault(tmp_path).read(name).reveal() for name in "abc"] == ["a", "b", "c"]


def test_nothing_shows_a_value_or_a_key(vault: Vault) -> None:
    vault.set("nexus", VALUE)
    (key,) = vault.keys.read()
    given = MasterKeys(Path("unused"), key)
    shown = f"{vault!r} {vault.keys!r} {given!r} {given} {vault.kept()!r}"
    assert VALUE.reveal() not in shown
    assert key.reveal() not in shown

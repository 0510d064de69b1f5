from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.writing import REGISTRY, UPSTREAM, read, refusals, with_upstream
from virtreg.backends.vault import FILE, VARIABLE, MasterKeys, Vault, new_key
from virtreg.config import load
from virtreg.config.secrets import References
from virtreg.errors import ConfigError
from virtreg.model import Secret


def _read(reference: str, environ: dict[str, str], folder: Path) -> str:
    return References(environ, folder, folder / "data").read(reference).reveal()


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    assert _read("env:TOKEN", {"TOKEN": "abc"}, tmp_path) == "abc"


@pytest.mark.parametrize("content", ["abc", "abc\n", "abc\r\n"])
def test_a_secret_comes_from_a_file_without_its_last_line_break(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "token").write_bytes(content.encode())
    assert _read("file:token", {}, tmp_path) == "abc"
    assert _read(f"file:{tmp_path}/token", {}, Path("/")) == "abc"


@pytest.mark.parametrize("key", ["bearer", "headers.X-Token"])
@pytest.mark.parametrize("text", ["hunter2", "plain:hunter2", "env:", "vault:", ""])
def test_plain_text_is_refused_without_repeating_it(tmp_path: Path, key: str, text: str) -> None:
    (line,) = refusals(tmp_path, with_upstream(f'{key} = "{text}"'))
    assert line == (
        f"upstream[1].{key}: must not stand in the file as plain text; "
        'write "env:NAME" for an environment variable, "file:/path" for a file, or "vault:NAME" '
        "for what `virtreg secrets set` keeps"
    )


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    assert refusals(tmp_path, with_upstream('bearer = "env:NEXUS_TOKEN"')) == [
        "upstream[1].bearer: environment variable NEXUS_TOKEN is not set"
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusals(tmp_path, with_upstream('bearer = "file:token"')) == [
        f"upstream[1].bearer: cannot read file {tmp_path}/token: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "environment variable T is empty"),
        ("se\ncret", "environment variable T holds a control character or a line break"),
        ("sécret", "must be ASCII text"),
    ],
)
def test_a_secret_that_cannot_be_a_header_is_refused(
    tmp_path: Path, value: str, reason: str
) -> None:
    lines = refusals(tmp_path, with_upstream('bearer = "env:T"'), {"T": value})
    assert lines == [f"upstream[1].bearer: {reason}"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff", "is not UTF-8 text"), (b"a" * 20_000, "is longer than 16384 bytes")],
)
def test_a_file_that_is_no_secret_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        _read("file:token", {}, tmp_path)


@given(st.text(min_size=1))
def test_exactly_what_cannot_end_a_header_is_accepted(text: str) -> None:
    if text.isprintable():
        assert _read("env:T", {"T": text}, Path("/")) == text
        assert not set(text) & {"\r", "\n", "\0"}
    else:
        with pytest.raises(ValueError, match="environment variable T holds a control character"):
            _read("env:T", {"T": text}, Path("/"))


def _vault(folder: Path) -> Vault:
    """That of a configuration in the folder."""
    return Vault(folder / "virtreg-data", MasterKeys.found({}, folder))


def test_a_secret_comes_from_the_vault(tmp_path: Path) -> None:
    _vault(tmp_path).set("token", Secret("abc"))
    config = read(tmp_path, with_upstream('bearer = "vault:token"'))
    assert config.registries[0].upstreams[0].bearer == Secret("abc")


def test_the_vault_is_in_the_data_folder(tmp_path: Path) -> None:
    for folder, text in {"one": "first", "two": "second"}.items():
        Vault(tmp_path / folder, MasterKeys.found({}, tmp_path)).set("token", Secret(text))
    text = '[storage]\npath = "one"\n' + with_upstream('bearer = "vault:token"')
    assert read(tmp_path, text).registries[0].upstreams[0].bearer == Secret("first")
    other = load(tmp_path / "server.toml", {}, data=tmp_path / "two")
    assert other.registries[0].upstreams[0].bearer == Secret("second")
    assert other.storage.path == tmp_path / "two"


def test_the_keys_may_come_from_the_environment(tmp_path: Path) -> None:
    environ = {VARIABLE: new_key().reveal()}
    Vault(tmp_path / "virtreg-data", MasterKeys.found(environ, tmp_path)).set("t", Secret("abc"))
    config = read(tmp_path, with_upstream('bearer = "vault:t"'), environ)
    assert config.registries[0].upstreams[0].bearer == Secret("abc")


def test_the_file_of_keys_may_be_elsewhere(tmp_path: Path) -> None:
    environ = {FILE: str(tmp_path / "elsewhere")}
    Vault(tmp_path / "virtreg-data", MasterKeys.found(environ, tmp_path)).set("t", Secret("abc"))
    assert (tmp_path / "elsewhere").is_file()
    read(tmp_path, with_upstream('bearer = "vault:t"'), environ)


def test_a_secret_that_is_for_an_upstream_is_for_no_other(tmp_path: Path) -> None:
    _vault(tmp_path).set("token", Secret("abc"), upstream="central")
    text = with_upstream('bearer = "vault:token"')
    read(tmp_path, text)
    second = '[[upstream]]\nname = "second"\nurl = "https://b.example"\n'
    assert refusals(tmp_path, f'{text}{second}headers = {{ X-Token = "vault:token" }}') == [
        "upstream[2].headers.X-Token: secret 'token' is for upstream 'central' alone"
    ]


def test_a_secret_that_the_vault_does_not_hold_is_named(tmp_path: Path) -> None:
    (line,) = refusals(tmp_path, with_upstream('bearer = "vault:token"'))
    assert line == (
        f"upstream[1].bearer: there is no secret 'token' in {tmp_path}/virtreg-data/secrets.json; "
        "`virtreg secrets set token` keeps one"
    )


def test_without_secrets_the_vault_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text(with_upstream('bearer = "vault:token"'))
    config = load(tmp_path / "server.toml", None)
    assert config.registries[0].upstreams[0].bearer == Secret("")


def test_a_lost_key_is_told_with_the_place_where_it_was_looked_for(tmp_path: Path) -> None:
    _vault(tmp_path).set("token", Secret("abc"))
    (tmp_path / "secret.key").unlink()
    with pytest.raises(ConfigError, match=f"no file {tmp_path}/secret.key, and {VARIABLE} is not"):
        read(tmp_path, with_upstream('bearer = "vault:token"'))


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_that_others_may_read_is_taken_and_told_of(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "a token"
    file.write_text("hunter2")
    file.chmod(mode)
    assert _read("file:a token", {}, tmp_path) == "hunter2"
    (told,) = caplog.messages
    assert told.startswith(f"file {file}: others may read or write this secret (mode {mode:04o})")
    assert told.endswith(f"run `chmod 600 '{file}'`")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_file_that_is_closed_is_nothing_to_tell(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "token").write_text("hunter2")
    (tmp_path / "token").chmod(mode)
    assert _read("file:token", {}, tmp_path) == "hunter2"
    assert caplog.messages == []


def test_the_url_of_the_database_may_be_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    storage = '[storage]\ndatabase = "env:DATABASE"\n'
    login = 'username = "u"\npassword = "env:NOT_SET"\n'
    path.write_text(f"{storage}{UPSTREAM}{login}{REGISTRY}")
    environ = {"DATABASE": "postgresql://virtreg@db.example.org/virtreg"}
    with pytest.raises(ConfigError, match="NOT_SET is not set"):
        load(path, environ)
    config = load(path, environ, every_secret=False)
    assert config.storage.database == Secret(environ["DATABASE"])
    assert config.registries[0].upstreams[0].password == Secret("")
    with pytest.raises(ConfigError, match=r"storage\.database: environment variable DATABASE"):
        load(path, {}, every_secret=False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pa-ss@host/db",
        "postgresql://me:pa?ss@host/db",
        "postgresql://me:pa#ss@host/db",
        "postgresql://me:pa/ss@host/db",
        "postgresql://host/db?password=pa-ss",
        "postgresql://host/db?sslpassword=pa-ss",
    ],
)
def test_a_database_password_in_the_file_is_refused_however_it_is_spelled(
    url: str, tmp_path: Path
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f'[storage]\ndatabase = "{url}"\n')
    with pytest.raises(ConfigError, match=r"must not hold a password in the file") as caught:
        load(file, {})
    assert "ss@" not in caught.value.message
    assert "pa-ss" not in caught.value.message

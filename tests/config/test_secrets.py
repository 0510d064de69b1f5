from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.writing import refusals, with_upstream
from virtreg.config import secrets


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    assert secrets.read("env:TOKEN", {"TOKEN": "abc"}, tmp_path).reveal() == "abc"


@pytest.mark.parametrize("content", ["abc", "abc\n", "abc\r\n"])
def test_a_secret_comes_from_a_file_without_its_last_line_break(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "token").write_bytes(content.encode())
    assert secrets.read("file:token", {}, tmp_path).reveal() == "abc"
    assert secrets.read(f"file:{tmp_path}/token", {}, Path("/")).reveal() == "abc"


@pytest.mark.parametrize("key", ["bearer", "headers.X-Token"])
@pytest.mark.parametrize("text", ["hunter2", "plain:hunter2", "env:", ""])
def test_plain_text_is_refused_without_repeating_it(tmp_path: Path, key: str, text: str) -> None:
    (line,) = refusals(tmp_path, with_upstream(f'{key} = "{text}"'))
    assert line == (
        f"upstream[1].{key}: must not stand in the file as plain text; "
        'write "env:NAME" for an environment variable or "file:/path" for a file'
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
        secrets.read("file:token", {}, tmp_path)


@given(st.text(min_size=1))
def test_exactly_what_cannot_end_a_header_is_accepted(text: str) -> None:
    def read() -> str:
        return secrets.read("env:T", {"T": text}, Path("/")).reveal()

    if text.isprintable():
        assert read() == text
        assert not set(text) & {"\r", "\n", "\0"}
    else:
        with pytest.raises(ValueError, match="environment variable T holds a control character"):
            read()

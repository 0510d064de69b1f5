"""Identifiers of cache entries."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.wsgi.api.entry_ids import entry_id, parse_entry_id

numbers = st.integers(0, 10**15 - 1)
paths = st.text(min_size=1).filter(lambda text: text.isprintable() and not text.startswith("/"))


@given(numbers, paths)
def test_an_identifier_is_read_as_it_was_made(number: int, path: str) -> None:
    assert parse_entry_id(entry_id(number, path)) == (number, path)


@given(numbers, paths)
def test_padding_may_be_missing(number: int, path: str) -> None:
    assert parse_entry_id(entry_id(number, path).rstrip("=")) == (number, path)


@given(numbers, paths)
def test_standard_base64_is_taken_too(number: int, path: str) -> None:
    text = base64.b64encode(f"{number} {path}".encode()).decode()
    assert parse_entry_id(text) == (number, path)


@given(st.text())
def test_whatever_is_read_is_the_only_identifier_of_its_alphabet(text: str) -> None:
    found = parse_entry_id(text)
    if found is not None:
        again = base64.urlsafe_b64decode(entry_id(*found)).split(b" ")
        assert again[0] == str(found[0]).encode()


def test_the_identifier_of_the_public_documentation_is_understood() -> None:
    text = "MTUgZm9vL2Jhci9teXBrZy8xLjAtU05BUFNIT1QvbXlwa2ctMS4wLVNOQVBTSE9ULmphcg=="
    path = "foo/bar/mypkg/1.0-SNAPSHOT/mypkg-1.0-SNAPSHOT.jar"
    assert parse_entry_id(text) == (15, path)
    assert entry_id(15, path) == text


def test_a_slash_before_the_path_does_not_count() -> None:
    text = base64.urlsafe_b64encode(b"15 /foo/bar").decode()
    assert parse_entry_id(text) == (15, "foo/bar")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "a",
        "15 foo/bar",
        "MTUg",
        "MTUgL",
        base64.urlsafe_b64encode(b"-1 foo").decode(),
        base64.urlsafe_b64encode(b"1e3 foo").decode(),
        base64.urlsafe_b64encode(b"1 ").decode(),
        base64.urlsafe_b64encode(b" foo").decode(),
        base64.urlsafe_b64encode(b"9999999999999999 foo").decode(),
        base64.urlsafe_b64encode(b"1 \xff\xfe").decode(),
        "MTUgZm9v\n",
        "MTUg Zm9v",
        "\u00e9",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_entry_id(text) is None

"""Repository names, tags and digests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.container.strategies import digests, names, tags
from virtreg.errors import NotFound
from virtreg.formats.container.names import (
    DigestInvalid,
    NameInvalid,
    check_name,
    check_tag,
    is_tag,
    parse_digest,
    print_digest,
)
from virtreg.model import Algorithm


@given(names())
def test_names_of_the_grammar_are_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "a/", "/a", "a//b", "A", "a/B", "a.", ".a", "a..b", "a___b", "a_-b", "-a", "a-"),
        *("é", "a b", "a%2fb", "a\n", "a:1", "a/../b", "a/./b", "_a", "a\x00"),
    ],
)
def test_other_texts_are_no_names(name: str) -> None:
    with pytest.raises(NameInvalid, match="is no repository name"):
        check_name(name)


def test_a_name_has_255_characters_at_most() -> None:
    assert check_name("a" * 255)
    with pytest.raises(NameInvalid, match="has 256 characters; at most 255"):
        check_name("a" * 256)


def test_a_name_that_nearly_fits_is_refused_at_once() -> None:
    """The grammar is ambiguous to a careless matcher: this one would take it an age."""
    with pytest.raises(NameInvalid):
        check_name("a-" * 127)
    with pytest.raises(NameInvalid):
        check_name("a" * 254 + "!")


@given(tags())
def test_tags_of_the_grammar_are_tags(tag: str) -> None:
    assert check_tag(tag, "p") == tag


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a b", "é", "a/b", "a:b", "a\n", "a" * 129])
def test_a_manifest_with_an_impossible_tag_is_not_found(tag: str) -> None:
    assert not is_tag(tag)
    with pytest.raises(NotFound) as caught:
        check_tag(tag, "a/manifests/x")
    assert caught.value.path == "a/manifests/x"


@given(digests())
def test_digests_parse_what_they_print(digest: tuple[Algorithm, str]) -> None:
    assert parse_digest(print_digest(digest)) == digest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with sha256: or sha512:"),
        ("sha256", "followed by 64 digits"),
        ("sha256:", "followed by 64 digits"),
        ("sha256:" + "a" * 63, "followed by 64 digits"),
        ("sha256:" + "A" * 64, "lower-case hex"),
        ("sha256:" + "a" * 63 + "\n", "lower-case hex"),
        ("sha256:" + "g" * 64, "lower-case hex"),
        ("sha256:" + "٣" * 64, "lower-case hex"),
        ("sha512:" + "a" * 64, "followed by 128 digits"),
        ("SHA256:" + "a" * 64, "begins with sha256: or sha512:"),
        ("sha1:" + "a" * 40, "begins with sha256: or sha512:"),
        ("md5:" + "a" * 32, "begins with sha256: or sha512:"),
    ],
)
def test_other_texts_are_no_digests(text: str, reason: str) -> None:
    with pytest.raises(DigestInvalid, match=reason):
        parse_digest(text)


@given(st.text(max_size=80))
def test_any_text_is_a_digest_or_refused(text: str) -> None:
    try:
        assert print_digest(parse_digest(text)) == text
    except DigestInvalid:
        assert len(text) not in (71, 135) or not text.startswith(("sha256:", "sha512:"))

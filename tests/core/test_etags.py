from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.etags import etag_of, parse_tags, strong_match, weak_match

opaque = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'))
tags = st.builds(lambda weak, text: f'{weak}"{text}"', st.sampled_from(["", "W/"]), opaque)
separators = st.sampled_from([",", ", ", " ,\t", ",,", ", ,  "])


@given(st.lists(st.tuples(tags, separators), min_size=1))
def test_a_list_gives_back_its_tags(written: list[tuple[str, str]]) -> None:
    header = "".join(tag + separator for tag, separator in written)
    assert parse_tags(header) == tuple(tag for tag, _ in written)


@pytest.mark.parametrize(
    "header", ["", ",", "*", "abc", '"a', 'a"', '"a" "b"', '"a", b', 'w/"a"', 'W/ "a"', '"a b"']
)
def test_a_malformed_list_has_no_tags(header: str) -> None:
    assert parse_tags(header) == ()


def test_a_comma_belongs_to_the_tag_it_is_in() -> None:
    assert parse_tags('"a,b", W/"c"') == ('"a,b"', 'W/"c"')


# The table of RFC 9110, 8.8.3.2.
@pytest.mark.parametrize(
    ("one", "other", "strong", "weak"),
    [
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
    ],
)
def test_comparison(one: str, other: str, strong: bool, weak: bool) -> None:
    assert strong_match(one, other) is strong_match(other, one) is strong
    assert weak_match(one, other) is weak_match(other, one) is weak


def test_the_tag_of_a_body_is_strong_and_names_its_digest() -> None:
    tag = etag_of("ab" * 32)
    assert tag == '"sha256:' + "ab" * 32 + '"'
    assert parse_tags(tag) == (tag,)
    assert strong_match(tag, tag)

"""Challenges as servers write them."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.challenges import Challenge, parse_challenges

NAMES = st.text(string.ascii_lowercase + string.digits + "-_", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
TOKEN68 = st.from_regex(r"[A-Za-z0-9._~+/-]+=*", fullmatch=True)
CHALLENGES = st.one_of(
    st.builds(Challenge, NAMES, st.dictionaries(NAMES, VALUES, max_size=4)),
    st.builds(Challenge, NAMES, st.just({}), TOKEN68),
)
HUB = Challenge(
    "bearer",
    {
        "realm": "https://auth.example.io/token",
        "service": "registry.example.io",
        "scope": "repository:library/a:pull,push",
    },
)


@given(st.lists(CHALLENGES, max_size=4))
def test_what_is_printed_is_read_again(challenges: list[Challenge]) -> None:
    assert parse_challenges(", ".join(map(str, challenges))) == tuple(challenges)


@given(st.text() | st.text('Bearer realm="\\,= \t'))
def test_no_text_breaks_the_reader(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme == challenge.scheme.lower() != ""


@pytest.mark.parametrize(
    "header",
    [
        (
            'Bearer realm="https://auth.example.io/token",service="registry.example.io",'
            'scope="repository:library/a:pull,push"'
        ),
        (
            'BEARER Realm = "https://auth.example.io/token" , SERVICE=registry.example.io, ,'
            'scope="repository:library/a:pull,push"'
        ),
        (
            'bearer realm="https://auth.example.io/token" service="registry.example.io" '
            'scope="repository:library/a:pull,push"'
        ),
        (
            ',, Bearer realm="https:\\//auth.example.io/token",service="registry.example.io",'
            'scope="repository:library/a:pull,push",realm="https://second.example/"'
        ),
    ],
)
def test_spelling_and_missing_commas_do_not_matter(header: str) -> None:
    assert parse_challenges(header) == (HUB,)


@pytest.mark.parametrize("gap", [", ", ",", " "])
def test_several_challenges_in_one_header_are_told_apart(gap: str) -> None:
    header = gap.join(['Basic realm="a, Bearer realm=b"', str(HUB), "Negotiate"])
    basic, bearer, negotiate = parse_challenges(header)
    assert basic == Challenge("basic", {"realm": "a, Bearer realm=b"})
    assert bearer == HUB
    assert negotiate == Challenge("negotiate")


def test_a_token68_is_no_parameter() -> None:
    assert parse_challenges("Negotiate YWI=, Basic realm=x") == (
        Challenge("negotiate", {}, "YWI="),
        Challenge("basic", {"realm": "x"}),
    )


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ("", []),
        ("realm=x", []),
        ('"Bearer"', []),
        ('Basic realm="open', ["basic"]),
        ("Basic realm=x; Bearer", ["basic"]),
        ("Negotiate YWI=, stray=1, Basic", ["negotiate"]),
    ],
)
def test_what_follows_nonsense_is_left_out(header: str, schemes: list[str]) -> None:
    assert [challenge.scheme for challenge in parse_challenges(header)] == schemes

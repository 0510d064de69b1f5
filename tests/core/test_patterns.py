from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.patterns import MAX_PATTERN, PatternType, check_pattern, union


def matches(pattern: str, text: str, pattern_type: PatternType = "wildcard") -> bool:
    return bool(union([(pattern, pattern_type)]).search(text))


def naive(pattern: str, text: str) -> bool:
    """Wildcards by trying every length an asterisk could have."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0].lower() == text[0].lower() and naive(pattern[1:], text[1:])


@given(st.text("aAb.+*", max_size=6), st.text("aAb.+\n", max_size=6))
def test_an_asterisk_stands_for_any_text_and_all_else_for_itself(pattern: str, text: str) -> None:
    assert matches(pattern, text) == naive(pattern, text)


@given(st.lists(st.text("ab.*", max_size=4), min_size=1, max_size=4), st.text("ab.", max_size=4))
def test_patterns_in_one_expression_match_what_one_of_them_matches(
    patterns: list[str], text: str
) -> None:
    together = union([(pattern, "wildcard") for pattern in patterns])
    assert bool(together.search(text)) == any(naive(pattern, text) for pattern in patterns)


def test_a_regular_expression_is_found_anywhere_and_ignores_case() -> None:
    assert matches("EVIL", "com.evil.lib", "regex")
    assert not matches("^evil", "com.evil.lib", "regex")


def test_an_expression_with_an_alternative_keeps_it_to_itself() -> None:
    both = union([("^a|b$", "regex"), ("x", "wildcard")])
    assert [bool(both.search(text)) for text in ("ax", "xb", "x", "xa")] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("pattern", "pattern_type", "reason"),
    [
        ("", "wildcard", "must not be empty"),
        ("a" * (MAX_PATTERN + 1), "regex", "must be at most 255 characters, not 256"),
        ("a\tb", "regex", "must have no control character"),
        ("com.**", "wildcard", 'must not have "**"'),
        ("com/acme", "wildcard", "has the character '/', which no group_id has"),
        ("com.acme?", "wildcard", "has the character '?', which no group_id has"),
        ("acmé", "wildcard", "has the character 'é', which no group_id has"),
        ("(a", "regex", "is no regular expression that RE2 takes: missing )"),
        ("a)(b", "regex", "is no regular expression that RE2 takes: "),
        (r"\Qa", "regex", "is no regular expression that RE2 takes: "),
        (r"(a)\1", "regex", "is no regular expression that RE2 takes: "),
        (r"(?=a)", "regex", "is no regular expression that RE2 takes: "),
        (r"(\pL{30}){30}", "regex", "is no regular expression that RE2 takes: pattern too large"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(
    pattern: str, pattern_type: PatternType, reason: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        check_pattern(pattern, pattern_type, "group_id")
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("pattern", "pattern_type", "target"),
    [
        ("*", "wildcard", "group_id"),
        ("com.acme-x_y*", "wildcard", "group_id"),
        ("1.0+build~1", "wildcard", "version"),
        ("library/*", "wildcard", "image"),
        ("a:b", "wildcard", "a-coordinate-of-another-format"),
        (r"^\pL+$", "regex", "group_id"),
        ("*a" * 127, "wildcard", "group_id"),
    ],
)
def test_patterns_are_accepted(pattern: str, pattern_type: PatternType, target: str) -> None:
    check_pattern(pattern, pattern_type, target)


def test_an_expression_that_would_backtrack_takes_no_time() -> None:
    check_pattern("(a+)+$", "regex", "group_id")
    started = time.monotonic()
    assert not matches("^(a+)+$", "a" * 1000 + "b", "regex")
    assert time.monotonic() - started < 5


@given(st.text(max_size=20))
def test_whatever_is_accepted_can_be_used_beside_others(pattern: str) -> None:
    try:
        check_pattern(pattern, "regex", "group_id")
    except ValueError:
        return
    alone = bool(matches(pattern, "com.acme", "regex"))
    beside = union([(pattern, "regex"), ("no.such.group", "wildcard")])
    assert bool(beside.search("com.acme")) == alone

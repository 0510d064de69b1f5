"""The version order: Maven's documented cases, and the laws of an order."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.formats.maven.versions import ordered, version_key

texts = st.text(alphabet="019.-_abmrcx", max_size=12)


def _numbered(word: str) -> list[str]:
    """What follows it; more would give cycles, such as 1-SNAPSHOT < 1 < 1.b-1 < 1-SNAPSHOT."""
    if len(word) == 1:
        return ["1", "2", "10"]  # a letter stands for its word only right before a number
    if word in ("Final", "ga"):
        return [""]  # the release itself
    return ["", "1", "2", "10", "-1", "-2"]


@st.composite
def conventional(draw: st.DrawFn) -> str:
    """Dotted numbers, then at most one qualifier with a number, then perhaps -SNAPSHOT.

    Qualifiers past the release are left out: 1-SNAPSHOT < 1 < 1.sp-1 < 1-SNAPSHOT, says Maven.
    """
    numbers = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    text = ".".join(map(str, numbers))
    word = draw(st.sampled_from(["", "alpha", "b", "M", "rc", "CR", "Final", "ga"]))
    if word:
        text += draw(st.sampled_from([".", "-"])) + word
        text += draw(st.sampled_from(_numbered(word)))
    return text + draw(st.sampled_from(["", "-SNAPSHOT"]))


@pytest.mark.parametrize(
    "ascending",
    [
        ["1-alpha", "1-beta", "1-milestone", "1-rc", "1-SNAPSHOT", "1", "1-sp", "1-abc", "1-1"],
        ["1.9", "1.10", "1.100"],
        ["2.0-alpha-1", "2.0-alpha-2", "2.0-beta-1", "2.0-rc1", "2.0", "2.0.1"],
        ["1.0-SNAPSHOT", "1.0", "1.0-20240101.120000-1", "1.0.1-SNAPSHOT", "1.0.1"],
        ["31.1-android", "31.1-jre", "32.0.0-android"],
        ["9223372036854775807", "9223372036854775808", "99999999999999999999999"],
    ],
)
def test_known_sequences_ascend(ascending: list[str]) -> None:
    for left, right in itertools.pairwise(ascending):
        assert version_key(left) < version_key(right)
        assert version_key(right) > version_key(left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1", "1.0.0"),
        ("1.0", "1-ga"),
        ("1.0.RELEASE", "1-Final"),
        ("1-rc1", "1.CR1"),
        ("1a1", "1-alpha-1"),
        ("1.b2", "1-BETA-2"),
        ("01.001", "1.1"),
        ("", "0"),
    ],
)
def test_spellings_of_one_version_are_equal_and_hash_alike(left: str, right: str) -> None:
    assert version_key(left) == version_key(right)
    assert hash(version_key(left)) == hash(version_key(right))
    assert not version_key(left) < version_key(right)


def test_a_key_shows_its_text_and_equals_no_other_kind() -> None:
    key = version_key("1.0")
    assert repr(key) == "VersionKey('1.0')"
    assert key.text == "1.0"
    assert key != "1.0"


def test_numbers_past_the_interpreters_conversion_limit_compare() -> None:
    assert version_key("9" * 6000) < version_key("1" + "0" * 6000)


def test_long_chains_compare_without_recursion() -> None:
    assert version_key("1a" * 5000 + "1") < version_key("1a" * 5000 + "2")


@given(texts, texts)
def test_of_two_versions_exactly_one_is_newer_or_they_are_equal(left: str, right: str) -> None:
    a, b = version_key(left), version_key(right)
    assert [a < b, a == b, b < a].count(True) == 1
    assert (hash(a) == hash(b)) or a != b


@given(conventional(), conventional(), conventional())
def test_conventional_versions_have_no_cycles(first: str, second: str, third: str) -> None:
    a, b, c = sorted(map(version_key, (first, second, third)))
    assert a <= b <= c
    assert a <= c


def test_mavens_own_cycle_is_kept() -> None:
    assert (
        version_key("1-alpha") > version_key("1.sp.1") > version_key("1") > version_key("1-alpha")
    )


@given(st.lists(texts, max_size=8), st.randoms(use_true_random=False))
def test_ordered_depends_on_the_set_alone(versions: list[str], random: Random) -> None:
    shuffled = list(versions) * 2
    random.shuffle(shuffled)
    result = ordered(versions)
    assert ordered(shuffled) == result
    assert ordered(result) == result
    assert set(result) == set(versions)

"""Rings of registries, and how deep they are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from virtreg.core.nesting import MOST_NESTED, too_deep

NAMES = "abcdefgh"


@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3), max_size=8
    )
)
def test_what_may_be_ends_soon_and_what_may_not_is_shown(nesting: dict[str, list[str]]) -> None:
    way = too_deep(nesting)
    if way is None:
        ahead = set(nesting)
        for _ in range(MOST_NESTED + 1):
            ahead = {below for name in ahead for below in nesting[name] if below in nesting}
        assert not ahead
        return
    assert all(below in nesting[name] for name, below in pairwise(way))
    assert way[0] == way[-1] or len(way) > MOST_NESTED + 1


def test_the_longest_way_that_may_be_may_be() -> None:
    names = [str(number) for number in range(MOST_NESTED + 1)]
    nesting = {name: [below] for name, below in pairwise(names)}
    assert too_deep({**nesting, names[-1]: []}) is None
    assert too_deep({**nesting, names[-1]: ["end"], "end": []}) == (*names, "end")


def test_a_ring_is_shown_from_the_same_place_whatever_the_order() -> None:
    assert too_deep({"a": ["b"], "b": ["a"]}) == ("a", "b", "a")
    assert too_deep({"b": ["a"], "a": ["b"]}) == ("a", "b", "a")


def test_a_very_long_chain_is_no_trouble() -> None:
    chain = {str(number): [str(number + 1)] for number in range(5000)}
    assert too_deep(chain) is not None

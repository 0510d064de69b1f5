"""The fuzz targets on what is known, and on variations of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import load
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before_is_read_or_refused(name: str) -> None:
    known = load(name)
    assert known
    for noise in known:
        TARGETS[name](noise)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=5000)
@given(noise=st.data())
def test_variations_are_read_or_refused(name: str, noise: st.DataObject) -> None:
    TARGETS[name](noise.draw(variations(load(name))))


def variations(known: list[bytes]) -> st.SearchStrategy[bytes]:
    """Pieces of known inputs and of noise, in any order."""
    whole = st.sampled_from(known)
    piece = st.builds(_cut, whole, st.integers(0, 64), st.integers(0, 256))
    noise = st.binary(max_size=6) | st.binary(max_size=60)
    return whole | noise | st.lists(piece | piece | noise, max_size=6).map(b"".join)


def _cut(content: bytes, start: int, length: int) -> bytes:
    return content[start : start + length]

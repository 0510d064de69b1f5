from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.cli.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000", 1000),
        ("1k", 1000),
        ("1 kB", 1000),
        ("1.5GB", 1_500_000_000),
        ("64MiB", 64 * 1024**2),
        ("2tib", 2 * 1024**4),
        ("7b", 7),
        ("0.5k", 500),
    ],
)
def test_sizes_are_in_powers_of_1000_or_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5x", "-1", "1e3", "GB", "1 000", "5ib", "1..5k", "\u0665"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as"):
        parse_size(text)


@given(st.integers(0, 10**15 - 1))
def test_a_number_is_so_many_bytes(number: int) -> None:
    assert parse_size(str(number)) == number

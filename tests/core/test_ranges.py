from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from virtreg.core.ranges import MAX_RANGES, content_range, select_ranges, unsatisfied_range

sizes = st.integers(0, 60)
positions = st.integers(0, 70)
closed = st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair)))
specs = (
    closed.map(lambda pair: f"{pair[0]}-{pair[1]}")
    | positions.map(lambda first: f"{first}-")
    | positions.map(lambda length: f"-{length}")
)
range_sets = st.lists(specs, min_size=1, max_size=6)
noise = st.text(alphabet="bytes=0123456789-, \tx٣", max_size=30)


def picked(spec: str, size: int) -> set[int]:
    """The offsets one valid range selects, read off a list of all offsets."""
    offsets = list(range(size))
    first, last = spec.split("-")
    if not first:
        return set(offsets[-int(last) :] if int(last) else [])
    return set(offsets[int(first) : int(last) + 1] if last else offsets[int(first) :])


@given(range_sets, sizes)
def test_the_selected_bytes_are_those_a_naive_slice_selects(written: list[str], size: int) -> None:
    ranges = select_ranges("bytes=" + ", ".join(written), size)
    sets = [picked(spec, size) for spec in written]
    if ranges is None:
        assert sum(map(len, sets)) > size
        assert len(written) > 2
    else:
        selected = [offset for start, stop in ranges for offset in range(start, stop)]
        assert len(selected) == len(set(selected))
        assert set(selected) == set().union(*sets)


@given(range_sets, sizes)
def test_selected_ranges_keep_the_order_in_which_they_were_asked_for(
    written: list[str], size: int
) -> None:
    ranges = select_ranges("bytes=" + ",".join(written), size)
    assume(ranges)
    assert ranges is not None
    sets = [picked(spec, size) for spec in written]
    asked = [
        min(place for place, offsets in enumerate(sets) if offsets & set(range(start, stop)))
        for start, stop in ranges
    ]
    assert asked == sorted(asked)


@given(st.text() | noise | noise.map(lambda tail: f"bytes={tail}"), sizes | st.integers(0, 2**63))
def test_any_header_gives_ranges_inside_the_body_apart_from_each_other(
    header: str, size: int
) -> None:
    ranges = select_ranges(header, size)
    if ranges is None:
        return
    assert all(0 <= start < stop <= size for start, stop in ranges)
    ordered = sorted(ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ordered))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ((0, 1),)),
        ("bytes=0-999", ((0, 100),)),
        ("bytes=99-", ((99, 100),)),
        ("bytes=-1", ((99, 100),)),
        ("bytes=-500", ((0, 100),)),
        ("Bytes=0-9", ((0, 10),)),
        ("bytes=,0-9, ,", ((0, 10),)),
        ("bytes=007-08", ((7, 9),)),
        ("bytes=0-" + "9" * 5000, ((0, 100),)),
        ("bytes=" + "0" * 5000 + "5-5", ((5, 6),)),
        ("bytes=0-9,100-", ((0, 10),)),
        ("bytes=50-59,0-9", ((50, 60), (0, 10))),
        ("bytes=50-59,0-9,60-69", ((50, 70), (0, 10))),
        ("bytes=0-60,40-99", ((0, 100),)),
    ],
)
def test_satisfiable_of_a_hundred_bytes(header: str, expected: tuple[tuple[int, int], ...]) -> None:
    assert select_ranges(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        "bytes=100-",
        "bytes=100-200",
        "bytes=-0",
        "bytes=" + "9" * 5000 + "-",
        "bytes=200-,300-",
        "bytes=500-0",
        "bytes=5-4",
    ],
)
def test_unsatisfiable_of_a_hundred_bytes(header: str) -> None:
    assert select_ranges(header, 100) == ()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=0",
        "bytes=0-1-2",
        "bytes=0 - 1",
        "bytes=+0-1",
        "bytes=0-1_0",
        "bytes=٠-٩",
        "bytes=0-1;2-3",
        "bytes=0-9,5-4",
        "bytes=0-9,x",
        "byteſ=0-9",
        "items=0-9",
        "0-9",
    ],
)
def test_ignored_of_a_hundred_bytes(header: str) -> None:
    assert select_ranges(header, 100) is None


def test_nothing_of_an_empty_body_can_be_satisfied() -> None:
    assert select_ranges("bytes=0-", 0) == ()
    assert select_ranges("bytes=-5", 0) == ()


def test_too_many_ranges_are_ignored() -> None:
    many = [f"{2 * place}-{2 * place}" for place in range(MAX_RANGES + 1)]
    assert select_ranges("bytes=" + ",".join(many), 1000) is None
    fewer = select_ranges("bytes=" + ",".join(many[1:]), 1000)
    assert fewer is not None
    assert len(fewer) == MAX_RANGES


def test_ranges_that_repeat_the_body_over_and_over_are_ignored() -> None:
    assert select_ranges("bytes=0-,0-,0-", 100) is None


def test_header_values_name_first_and_last_byte() -> None:
    assert content_range(0, 10, 100) == "bytes 0-9/100"
    assert unsatisfied_range(100) == "bytes */100"

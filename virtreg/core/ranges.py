"""Byte ranges: which bytes a ``Range`` header selects (RFC 9110, 14.1 and 14.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

Span = tuple[int, int]
"""Bytes ``start <= i < stop``, never empty."""

MAX_RANGES = 64
"""A set with more ranges is ignored."""

_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
_BEYOND = 10**19
"""Past the end of any body. Longer numbers are read as this one."""


def select_ranges(header: str, size: int) -> tuple[Span, ...] | None:
    """What ``header`` selects of a body of ``size`` bytes.

    None: the header is to be ignored, because the unit is unknown, the syntax is wrong, or the
    set costs more than the whole body (RFC 9110, 14.2). Empty: nothing can be satisfied. Else the
    satisfiable ranges in the order asked for, clamped to the body; those that overlap or touch are
    one range, at the place of the first of them.

    A lone range that ends before it starts cannot be satisfied, as clients of the OCI
    distribution-spec expect; within a longer set it makes the set invalid (RFC 9110, 14.1.1).
    """
    unit, _, ranges = header.partition("=")
    specs = [spec for part in ranges.split(",") if (spec := part.strip(" \t"))]
    if unit.strip(" \t").lower() != "bytes" or not 0 < len(specs) <= MAX_RANGES:
        return None
    wanted: list[Span] = []
    for spec in specs:
        bounds = _bounds(spec, size, alone=len(specs) == 1)
        if bounds is None:
            return None
        start, stop = bounds[0], min(bounds[1], size)
        if start < stop:
            wanted.append((start, stop))
    if len(wanted) > 2 and sum(stop - start for start, stop in wanted) > size:
        return None
    return _coalesced(wanted)


def content_range(start: int, stop: int, size: int) -> str:
    """The ``Content-Range`` of one part of a 206."""
    return f"bytes {start}-{stop - 1}/{size}"


def unsatisfied_range(size: int) -> str:
    """The ``Content-Range`` of a 416."""
    return f"bytes */{size}"


def _bounds(spec: str, size: int, *, alone: bool) -> tuple[int, int] | None:
    """Start and stop of one range, not clamped, possibly empty; None when it is invalid."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return (max(size - _number(last), 0), size) if last else None
    start = _number(first)
    stop = _number(last) + 1 if last else _BEYOND + 1
    if stop <= start:
        return (start, start) if alone else None
    return start, stop


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return min(int(significant[:20] or "0"), _BEYOND)


def _coalesced(spans: Sequence[Span]) -> tuple[Span, ...]:
    joined: list[tuple[int, int, int]] = []
    for place, (start, stop) in sorted(enumerate(spans), key=lambda placed: placed[1]):
        if joined and start <= joined[-1][2]:
            earliest, begin, end = joined[-1]
            joined[-1] = (min(earliest, place), begin, max(end, stop))
        else:
            joined.append((place, start, stop))
    return tuple((start, stop) for _, start, stop in sorted(joined))

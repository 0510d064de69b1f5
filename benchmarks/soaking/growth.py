"""Whether something grows, told from measurements that jump."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import median

_MOST = 300
"""Measurements that are compared with each other; of more, evenly chosen ones."""


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Per unit of time: the median of the slopes between all pairs (Theil, 1950; Sen, 1968), which
    up to 29 % of outliers do not move. 0 for fewer than two times."""
    step = max(1, len(times) // _MOST)
    points = list(zip(times[::step], values[::step], strict=True))
    slopes = [(v - u) / (t - s) for (s, u), (t, v) in combinations(points, 2) if t != s]
    return median(slopes) if slopes else 0.0


def growth(times: Sequence[float], values: Sequence[float]) -> float:
    """How much it has grown from the first time to the last; negative when it shrank.

    What has settled at a higher level has stopped growing: the slope of the second half counts,
    for the whole time, where it is the smaller one.
    """
    if len(times) < 2:
        return 0.0
    half = len(times) // 2
    slowest = min(slope(times, values), slope(times[half:], values[half:]))
    return slowest * (times[-1] - times[0])

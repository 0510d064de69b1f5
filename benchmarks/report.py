"""Medians, ratios inside each round, and a table of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from benchmarks.load import Measure
from benchmarks.scenarios import Scenario

Rounds = Mapping[str, Sequence[Measure]]
"""Measures by target, one for each round."""


@frozen
class _Unit:
    """How measures of one unit are shown."""

    latency: str
    cpu: str
    rate_digits: int
    cpu_digits: int


_UNITS = {
    "req/s": _Unit("p99 ms", "CPU us/req", 0, 0),
    "GB/s": _Unit("first ms", "CPU s/GB", 2, 2),
    "pulls/s": _Unit("ms/pull", "CPU s/pull", 1, 3),
}


def summary(scenario: Scenario, rounds: Rounds) -> dict[str, dict[str, Any]]:
    """Medians by target. ``ratio`` is the median over the rounds of rate : peer's rate in the
    same round, because the machine's own speed drifts more between rounds than within one."""
    peer = _peer(scenario, rounds)
    return {
        target: {
            "rate": statistics.median(measure.rate for measure in measures),
            "unit": scenario.unit,
            "cpu": statistics.median(measure.cpu for measure in measures),
            "latency_ms": statistics.median(measure.latency for measure in measures),
            "memory_mb": statistics.median(measure.memory for measure in measures),
            "growth_mb": _median([measure.growth for measure in measures]),
            "upstream_gets": _median([measure.asked for measure in measures]),
            "peer": peer,
            "ratio": None if peer is None else _ratio(measures, rounds[peer]),
        }
        for target, measures in rounds.items()
    }


def table(scenario: Scenario, rounds: Rounds, failed: Mapping[str, str]) -> str:
    """The summary for people, and why some targets are not in it."""
    unit = _UNITS[scenario.unit]
    peer = _peer(scenario, rounds) or "-"
    head = ("target", scenario.unit, unit.latency, unit.cpu, "RSS MB", "peak MB", "GETs")
    lines = [
        scenario.name,
        "  {:<16}{:>11}{:>10}{:>12}{:>8}{:>9}{:>6}".format(*head) + f"{f'x {peer}':>19}",
    ]
    for target, seen in summary(scenario, rounds).items():
        growth = "" if seen["growth_mb"] is None else f"+{seen['growth_mb']:.0f}"
        asked = "" if seen["upstream_gets"] is None else f"{seen['upstream_gets']:g}"
        ratio = "" if seen["ratio"] is None else f"{seen['ratio']:.3g}"
        lines.append(
            f"  {target:<16}{seen['rate']:>11,.{unit.rate_digits}f}{seen['latency_ms']:>10.1f}"
            f"{seen['cpu']:>12,.{unit.cpu_digits}f}{seen['memory_mb']:>8.0f}{growth:>9}{asked:>6}"
            f"{ratio:>19}"
        )
    lines += [f"  {target:<16}        n/a: {why}" for target, why in failed.items()]
    return "\n".join(lines)


def _peer(scenario: Scenario, rounds: Rounds) -> str | None:
    return next((name for name in scenario.peers if name in rounds), None)


def _median(found: Sequence[float | None]) -> float | None:
    known = [one for one in found if one is not None]
    return statistics.median(known) if known else None


def _ratio(measures: Sequence[Measure], peers: Sequence[Measure]) -> float:
    pairs = zip(measures, peers, strict=True)
    return statistics.median(measure.rate / peer.rate for measure, peer in pairs)

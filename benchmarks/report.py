"""Medians, ratios inside each round, and a table of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.load import Measure
from benchmarks.scenarios import Scenario

Rounds = Mapping[str, Sequence[Measure]]
"""Measures by target, one for each round."""

PEERS = ("nginx-proxy", "direct")
"""Whom the ratios are taken against: the first of these that takes part."""


def summary(scenario: Scenario, rounds: Rounds) -> dict[str, dict[str, Any]]:
    """Medians by target. ``ratio`` is the median over the rounds of rate : peer's rate in the
    same round, because the machine's own speed drifts more between rounds than within one."""
    peer = next((name for name in PEERS if name in rounds), None)
    return {
        target: {
            "rate": statistics.median(measure.rate for measure in measures),
            "unit": scenario.unit,
            "cpu": statistics.median(measure.cpu for measure in measures),
            "latency_ms": statistics.median(measure.latency for measure in measures),
            "memory_mb": statistics.median(measure.memory for measure in measures),
            "peer": peer,
            "ratio": None if peer is None else _ratio(measures, rounds[peer]),
        }
        for target, measures in rounds.items()
    }


def table(scenario: Scenario, rounds: Rounds) -> str:
    """The summary for people."""
    small = scenario.unit == "req/s"
    peer = next((name for name in PEERS if name in rounds), "-")
    latency, cpu = ("p99 ms", "CPU us/req") if small else ("first ms", "CPU s/GB")
    head = ("target", scenario.unit, latency, cpu, "RSS MB", f"x {peer}")
    lines = [f"{scenario.name}", "  {:<14}{:>11}{:>10}{:>12}{:>9}{:>15}".format(*head)]
    for target, seen in summary(scenario, rounds).items():
        rate = f"{seen['rate']:,.0f}" if small else f"{seen['rate']:.2f}"
        used = f"{seen['cpu']:,.0f}" if small else f"{seen['cpu']:.2f}"
        ratio = "" if seen["ratio"] is None else f"{seen['ratio']:.3g}"
        lines.append(
            f"  {target:<14}{rate:>11}{seen['latency_ms']:>10.1f}{used:>12}"
            f"{seen['memory_mb']:>9.0f}{ratio:>15}"
        )
    return "\n".join(lines)


def _ratio(measures: Sequence[Measure], peers: Sequence[Measure]) -> float:
    pairs = zip(measures, peers, strict=True)
    return statistics.median(measure.rate / peer.rate for measure, peer in pairs)

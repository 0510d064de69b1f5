"""What is measured, and how hard."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from benchmarks import load
from benchmarks.files import MB, Repository
from benchmarks.load import Measure
from benchmarks.targets import WIDTHS, Target


@frozen
class Effort:
    """How long one measurement takes. Sizes are in bytes, times in seconds."""

    rounds: int
    seconds: int
    """Of load by wrk, which counts in whole ones."""
    big: int
    repeats: int
    """Downloads of the big file in one measurement, and pulls of an image."""
    load_cpu: int | None
    """The CPU that load is pinned to."""
    layer: int = 500 * MB
    """Of the layers that one client pulls cold."""


FULL = Effort(rounds=5, seconds=3, big=200 * MB, repeats=5, load_cpu=None)
QUICK = Effort(rounds=2, seconds=1, big=20 * MB, repeats=2, load_cpu=None)

Round = Callable[[Target, int], Measure]
"""Measure one target in the round of this number."""


@frozen
class Scenario:
    """``registry`` is the name of the URL a target must offer to take part."""

    name: str
    registry: str
    unit: str
    measure: Round
    warm: Callable[[Target], None] = field(default=lambda _: None)
    """Run once for each target before the first round."""
    peers: tuple[str, ...] = ("nginx-proxy", "direct")
    """Whom the ratios are taken against: the first of these that takes part."""


def scenarios(repository: Repository, effort: Effort) -> list[Scenario]:
    """Every scenario, with its paths and its load fixed."""
    cpu = effort.load_cpu

    def small_url(target: Target) -> str:
        return f"{target.urls['hits']}/{repository.small_path()}"

    def small(connections: int) -> Round:
        return lambda target, _: load.requests(
            target, small_url(target), connections, effort.seconds, cpu
        )

    def warm_small(target: Target) -> None:
        load.downloads(target, small_url(target), 1, 1, cpu)
        load.requests(target, small_url(target), 16, 1, cpu)

    def big_url(target: Target) -> str:
        return f"{target.urls['hits']}/{repository.big_path()}"

    def big(clients: int) -> Round:
        return lambda target, _: load.downloads(
            target, big_url(target), effort.repeats, clients, cpu
        )

    def warm_big(target: Target) -> None:
        load.downloads(target, big_url(target), 1, 1, cpu)

    def cold(clients: int, first: int) -> Round:
        def once(target: Target, number: int) -> Measure:
            path = repository.cold_path(first + number)
            return load.downloads(target, f"{target.urls['cold']}/{path}", 1, clients, cpu)

        return once

    def miss(registry: str) -> Round:
        return lambda target, number: load.misses(
            target, registry, f"{number}", 16, effort.seconds, cpu
        )

    found = [
        Scenario("hit-8k-c16", "hits", "req/s", small(16), warm_small),
        Scenario("hit-8k-c64", "hits", "req/s", small(64), warm_small),
        Scenario("hit-big-c1", "hits", "GB/s", big(1), warm_big),
        Scenario("hit-big-c4", "hits", "GB/s", big(4), warm_big),
        Scenario("cold-big-c1", "cold", "GB/s", cold(1, 0)),
        Scenario("cold-big-c4", "cold", "GB/s", cold(4, effort.rounds)),
    ]
    for width in WIDTHS:
        for kind in ("absent", "last"):
            registry = f"{kind}-{width}"
            found.append(Scenario(f"miss-{registry}", registry, "req/s", miss(registry)))
    return found


def cold_files(effort: Effort) -> int:
    """How many files the cold scenarios ask for in all."""
    return 2 * effort.rounds

"""``python -m benchmarks``: measure, print tables, optionally write JSON."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from attrs import evolve

from benchmarks.load import Failed, Measure
from benchmarks.processes import LOAD_CPU
from benchmarks.report import summary, table
from benchmarks.scenarios import FULL, QUICK, Effort, Scenario
from benchmarks.suites import NAMES, ImageSuite, MavenSuite, Suite
from benchmarks.targets import Target

_ABOUT = """Compare virtreg with its peers over the same upstream, all on loopback.

Scenarios whose names begin with image- are about container images; the others are about files of
a Maven repository. Servers that a scenario is not for, or that are not installed, are left out;
what a server cannot do is n/a. nginx and wrk have to be installed. The images take about 6 GB of
disk with --quick and 15 GB without."""


def main() -> None:
    options = _options()
    effort = evolve(QUICK if options.quick else FULL, load_cpu=LOAD_CPU if options.pin else None)
    if options.rounds:
        effort = evolve(effort, rounds=options.rounds)
    found = {}
    broken = set()
    for kind in (MavenSuite, ImageSuite):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
            suite: Suite = kind(folder, effort, options.pin)
            wanted = [one for one in suite.scenarios() if one.name.startswith(options.only)]
            if not wanted:
                continue
            running = suite.start(stack, options.targets)
            for scenario in wanted:
                rounds, failed = _measure(scenario, running, effort)
                print(table(scenario, rounds, failed), flush=True)
                found[scenario.name] = summary(scenario, rounds)
                broken |= {"virtreg", "direct"} & failed.keys()
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    if broken:
        raise SystemExit(f"wrong answers of {', '.join(sorted(broken))}")


def _measure(
    scenario: Scenario, running: list[Target], effort: Effort
) -> tuple[dict[str, list[Measure]], dict[str, str]]:
    """All rounds, and why some targets have none; inside a round the targets follow each other at
    once."""
    rounds: dict[str, list[Measure]] = {}
    failed: dict[str, str] = {}
    for target in running:
        if scenario.registry in target.urls:
            try:
                scenario.warm(target)
            except Failed as error:
                failed[target.name] = str(error)
            else:
                rounds[target.name] = []
    for number in range(effort.rounds):
        for target in running:
            if target.name in rounds:
                try:
                    rounds[target.name].append(scenario.measure(target, number))
                except Failed as error:
                    failed[target.name] = str(error)
                    del rounds[target.name]
    return rounds, failed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small files, short rounds")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 5, or 2 with --quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there as well")
    parser.add_argument(
        "--only",
        type=lambda text: tuple(text.split(",")),
        default=("",),
        metavar="PREFIX,...",
        help="only scenarios that begin so, such as hit-8k,cold or image-",
    )
    parser.add_argument(
        "--targets",
        type=lambda text: text.split(","),
        default=list(NAMES),
        metavar="NAME,...",
        help=f"servers to compare (default: {','.join(NAMES)})",
    )
    parser.add_argument(
        "--pin",
        action=argparse.BooleanOptionalAction,
        default=len(os.sched_getaffinity(0)) > 1,
        help="servers on CPU 0, load and upstream on CPU 1 (default with two CPUs or more)",
    )
    parser.add_argument("--folder", type=Path, help="where files go (default: temporary)")
    options = parser.parse_args()
    unknown = set(options.targets) - set(NAMES)
    if unknown:
        parser.error(f"unknown target {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    main()

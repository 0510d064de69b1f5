"""``python -m benchmarks``: measure, print tables, optionally write JSON."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from attrs import evolve

from benchmarks import targets
from benchmarks.files import Repository
from benchmarks.load import Measure
from benchmarks.processes import LOAD_CPU, SERVER_CPU
from benchmarks.report import summary, table
from benchmarks.scenarios import FULL, QUICK, Effort, Scenario, cold_files, scenarios
from benchmarks.targets import STARTS, Target


def main() -> None:
    options = _options()
    effort = evolve(QUICK if options.quick else FULL, load_cpu=LOAD_CPU if options.pin else None)
    if options.rounds:
        effort = evolve(effort, rounds=options.rounds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        repository = Repository(folder / "files", effort.big)
        repository.publish(cold_files(effort))
        running = _start(stack, folder, repository, options.targets, pin=options.pin)
        found = {}
        for scenario in scenarios(repository, effort):
            if any(scenario.name.startswith(prefix) for prefix in options.only):
                rounds = _measure(scenario, running, effort)
                print(table(scenario, rounds), flush=True)
                found[scenario.name] = summary(scenario, rounds)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def _start(
    stack: ExitStack, folder: Path, repository: Repository, names: list[str], *, pin: bool
) -> list[Target]:
    """The upstream, then the servers under test, all stopped when the stack ends."""
    behind = targets.upstream(folder / "direct", repository.root, LOAD_CPU if pin else None)
    running = [behind]
    stack.callback(behind.close)
    for name in names:
        cpu = SERVER_CPU if pin else None
        running.append(STARTS[name](folder / name, repository.root, behind, cpu))
        stack.callback(running[-1].close)
    return running


def _measure(scenario: Scenario, running: list[Target], effort: Effort) -> dict[str, list[Measure]]:
    """All rounds; inside a round the targets follow each other at once."""
    taking_part = [target for target in running if scenario.registry in target.urls]
    for target in taking_part:
        scenario.warm(target)
    rounds: dict[str, list[Measure]] = {target.name: [] for target in taking_part}
    for number in range(effort.rounds):
        for target in taking_part:
            rounds[target.name].append(scenario.measure(target, number))
    return rounds


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files, short rounds")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 5, or 2 with --quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there as well")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=[""],
        metavar="PREFIX,...",
        help="only scenarios that begin so, such as hit-8k,cold",
    )
    parser.add_argument(
        "--targets",
        type=lambda text: text.split(","),
        default=list(STARTS),
        metavar="NAME,...",
        help=f"servers to compare (default: {','.join(STARTS)})",
    )
    parser.add_argument(
        "--pin",
        action=argparse.BooleanOptionalAction,
        default=len(os.sched_getaffinity(0)) > 1,
        help="servers on CPU 0, load and upstream on CPU 1 (default with two CPUs or more)",
    )
    parser.add_argument("--folder", type=Path, help="where files go (default: temporary)")
    options = parser.parse_args()
    unknown = set(options.targets) - set(STARTS)
    if unknown:
        parser.error(f"unknown target {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    main()

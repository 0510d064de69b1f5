"""Fuzzes the targets by coverage, with atheris, which has to be installed besides:
``python -m tests.fuzz.run --seconds 60 [--keep] [TARGET ...]``.

Each target runs in a process of its own, since the fuzzer ends its process. ``--keep`` adds what
reached new code to the saved corpus.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fuzz import corpus

_MOST_KEPT = 60
"""Inputs of one target; the shortest, which run fastest and say most."""
_LONGEST = 4096


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone is not None:
        (target,) = asked.targets
        _fuzz(target, Path(asked.alone), asked.seconds)
    from tests.fuzz.targets import TARGETS

    failed = [
        target
        for target in asked.targets or TARGETS
        if not _supervise(target, asked.seconds, keep=asked.keep)
    ]
    print("failed:", ", ".join(failed) or "none")
    return 1 if failed else 0


def _fuzz(target: str, folder: Path, seconds: int) -> None:
    """Never returns."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["virtreg"]):
        from tests.fuzz.targets import TARGETS
    options = [f"-max_total_time={seconds}", "-timeout=10", f"-max_len={_LONGEST}"]
    options += ["-print_final_stats=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], TARGETS[target])
    atheris.Fuzz()


def _supervise(target: str, seconds: int, *, keep: bool) -> bool:
    """Whether nothing was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = folder / "corpus"
        inputs.mkdir()
        known = corpus.load(target)
        for number, content in enumerate(known):
            (inputs / str(number)).write_bytes(content)
        command = [sys.executable, "-m", "tests.fuzz.run", target, "--alone", name]
        done = subprocess.run(
            [*command, "--seconds", str(seconds)],
            capture_output=True,
            text=True,
            errors="replace",
            # The fuzzer ends its process without cleaning up.
            env={**os.environ, "TMPDIR": name},
        )
        stats = [line for line in done.stderr.splitlines() if line.startswith("stat::")]
        crashes = sorted(folder.glob("crash-*"))
        found = [path.read_bytes() for path in inputs.iterdir()]
        print(f"{target}: {_figure(stats, 'number_of_executed_units')} runs,", end=" ")
        print(f"{len(found)} inputs, {len(crashes)} failures, exit {done.returncode}", flush=True)
        for crash in crashes:
            print(repr(crash.read_bytes()))
        if crashes or done.returncode:
            print(done.stderr[-3000:])
        if keep:
            new = sorted((set(found) - set(known)), key=len)
            corpus.save(target, [*known, *new[: max(0, _MOST_KEPT - len(known))]])
        return not crashes and done.returncode == 0


def _figure(stats: list[str], name: str) -> str:
    return next((line.rpartition(":")[2].strip() for line in stats if name in line), "?")


if __name__ == "__main__":
    raise SystemExit(main())

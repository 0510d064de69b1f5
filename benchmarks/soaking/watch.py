"""What the processes of a server hold, over time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field, frozen

from benchmarks.soaking.growth import growth
from tests.e2e.processes import family

MIB = 1024 * 1024


@frozen
class Sample:
    time: float
    """Seconds since the watch began."""
    resident: int
    """Bytes."""
    descriptors: int
    threads: int


@frozen
class Grown:
    """Of one process: what it had grown by at the end, and the most that it may."""

    name: str
    what: str
    by: float
    most: float

    def __str__(self) -> str:
        return f"{self.name}: {self.what} {self.by:+.1f}, at most {self.most:.1f}"


@define
class Watch:
    """Not thread-safe."""

    nodes: Sequence[int]
    """The first process of each server."""
    samples: dict[str, list[Sample]] = field(factory=dict)
    """By node and process; one that ended stays."""
    _began: float = field(factory=time.monotonic)

    def look(self) -> list[Sample]:
        """Take a sample of every process."""
        now = time.monotonic() - self._began
        found = []
        for number, node in enumerate(self.nodes):
            for place, pid in enumerate(family(node)):
                sample = _sample(now, pid)
                if sample is not None:
                    found.append(sample)
                    name = f"node {number} process {place} ({pid})"
                    self.samples.setdefault(name, []).append(sample)
        return found

    def grown(self, warm: float) -> list[Grown]:
        """Of processes that lived through the time after so many seconds."""
        told = []
        for name, samples in self.samples.items():
            after = [sample for sample in samples if sample.time >= warm]
            if len(after) < 10:
                continue
            times = [sample.time for sample in after]
            sizes = [sample.resident / MIB for sample in after]
            counts = {
                "descriptors": [float(sample.descriptors) for sample in after],
                "threads": [float(sample.threads) for sample in after],
            }
            most = max(24.0, 0.1 * sorted(sizes)[len(sizes) // 2])
            told.append(Grown(name, "MiB", growth(times, sizes), most))
            told += [
                Grown(name, what, growth(times, values), 16.0) for what, values in counts.items()
            ]
        return told


def _sample(now: float, pid: int) -> Sample | None:
    """None when it has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        facts = dict(
            line.split(":", 1)
            for line in (folder / "status").read_text().splitlines()
            if ":" in line
        )
        if "VmRSS" not in facts:
            return None
        return Sample(
            now,
            int(facts["VmRSS"].split()[0]) * 1024,
            sum(1 for _ in (folder / "fd").iterdir()),
            int(facts["Threads"]),
        )
    except (FileNotFoundError, ProcessLookupError):
        return None

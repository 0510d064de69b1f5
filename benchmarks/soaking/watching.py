"""What processes hold, over time, and whether it grows."""

from __future__ import annotations

import re
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path

from attrs import define, field, frozen

_MEBIBYTE = 1024 * 1024
_GROWTH = 0.2
"""Of what is held, that may come and go."""


@frozen
class Sample:
    """``at`` by the monotonic clock; ``resident`` in MiB."""

    at: float
    resident: float
    descriptors: int
    threads: int


@define
class Watch:
    """Of processes by their id; not thread-safe."""

    samples: dict[int, list[Sample]] = field(factory=lambda: defaultdict(list))
    names: dict[int, str] = field(factory=dict)

    def look(self, name: str, pids: Sequence[int]) -> str:
        """Take a sample of each, and say it."""
        told = []
        for number, pid in enumerate(pids):
            with suppress(OSError, TypeError):  # it has just ended
                sample = _sample(pid)
                self.samples[pid].append(sample)
                self.names[pid] = f"{name}.{number} ({pid})"
                told.append(f"{sample.resident:.0f}M/{sample.descriptors}f/{sample.threads}t")
        return f"{name} {' '.join(told)}"

    def growing(self, since: float) -> list[str]:
        """What grew in the time since then, of all that lived as long."""
        return [line for line, grows in self._trends(since) if grows]

    def trends(self, since: float) -> list[str]:
        """How all of those went."""
        return [line for line, _ in self._trends(since)]

    def _trends(self, since: float) -> list[tuple[str, bool]]:
        found = []
        for pid, samples in self.samples.items():
            late = [each for each in samples if each.at >= since]
            last = max((every[-1].at for every in self.samples.values()), default=0.0)
            if samples[0].at > since or len(late) < 6 or last - late[-1].at > 1:
                continue
            length = late[-1].at - late[0].at
            for what, slack in (("resident", 16), ("descriptors", 12), ("threads", 12)):
                values = [float(getattr(each, what)) for each in late]
                middle = statistics.median(values)
                growth = slope([each.at for each in late], values) * length
                line = f"{self.names[pid]}: {what} {middle:.0f}, {growth:+.1f} in {length:.0f} s"
                found.append((line, growth > slack + _GROWTH * middle))
        return found


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """The median of the slopes of all pairs (Theil and Sen's estimator)."""
    pairs = combinations(zip(times, values, strict=True), 2)
    return statistics.median((b - a) / (later - sooner) for (sooner, a), (later, b) in pairs)


def folder_bytes(folder: Path) -> int:
    """What lies in a folder, on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_blocks * 512
    return total


def _sample(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    resident = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    threads = re.search(r"^Threads:\s+(\d+)$", status, re.MULTILINE)
    if resident is None or threads is None:
        raise ProcessLookupError(pid)
    descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Sample(
        time.monotonic(), int(resident[1]) * 1024 / _MEBIBYTE, descriptors, int(threads[1])
    )

"""The clients of a soak, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

_ABOVE = Path(__file__).parent.parent.parent


@define
class Crowd:
    """``counted`` may be called from any thread."""

    bases: Sequence[str]
    size: int
    wrong: list[str] = field(factory=list)
    """What was wrong, in words."""
    _told: dict[int, Counter[str]] = field(factory=dict)
    _processes: list[subprocess.Popen[str]] = field(factory=list)
    _threads: list[threading.Thread] = field(factory=list)

    def start(self) -> None:
        for number in range(self.size):
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.soaking.client", str(number), *self.bases],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=_ABOVE,
            )
            self._processes.append(process)
            thread = threading.Thread(target=self._listen, args=(number, process), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Returns once they have ended; SystemExit when one has failed."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        failed = [process.wait() for process in self._processes]
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            assert process.stdout is not None
            process.stdout.close()
        if any(failed):
            raise SystemExit("a client of the soak has failed")

    def counted(self) -> Counter[str]:
        """So far, of all."""
        return sum(self._told.copy().values(), Counter[str]())

    def _listen(self, number: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            self._told[number] = Counter(told["counted"])
            self.wrong += told["wrong"]

"""The processes of all clients, and what they have told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attrs import define, field

from benchmarks.soaking.site import REPOSITORY

_ENDS = 150.0
"""Seconds in which the last answers have come, or hang."""


@define
class Crowd:
    """Thread-safe."""

    counts: Counter[str] = field(factory=Counter)
    findings: list[str] = field(factory=list)
    _processes: list[subprocess.Popen[str]] = field(factory=list)
    _readers: list[threading.Thread] = field(factory=list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def start(self, clients: int, threads: int, hosts: Sequence[str], epoch: float) -> None:
        for seed in range(clients):
            told = {"epoch": epoch, "hosts": hosts, "threads": threads, "seed": seed}
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.soaking.client", json.dumps(told)],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=dict(os.environ),
            )
            self._processes.append(process)
            reader = threading.Thread(target=self._read, args=(process,), daemon=True)
            reader.start()
            self._readers.append(reader)

    def end(self) -> None:
        """Returns once all have had their last answers."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process, reader in zip(self._processes, self._readers, strict=True):
            try:
                code = process.wait(_ENDS)
            except subprocess.TimeoutExpired:
                self.add({"hung": 1}, ["a client that did not end"])
            else:
                reader.join(_ENDS)
                if code:
                    self.add({}, [f"a client ended with {code}"])

    def kill(self) -> None:
        for process, reader in zip(self._processes, self._readers, strict=True):
            process.kill()
            process.wait()
            reader.join()
            for end in (process.stdin, process.stdout):
                assert end is not None
                end.close()

    def add(self, counts: dict[str, int], findings: Sequence[str]) -> None:
        with self._lock:
            self.counts.update(counts)
            self.findings.extend(findings)

    def so_far(self) -> Counter[str]:
        with self._lock:
            return Counter(self.counts)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            self.add(told["counts"], told["findings"])


@contextmanager
def crowd() -> Iterator[Crowd]:
    """Its processes end with the context."""
    one = Crowd()
    try:
        yield one
    finally:
        one.kill()

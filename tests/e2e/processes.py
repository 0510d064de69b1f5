"""Starting, watching and ending real programs."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


class Started:
    """A program that runs for as long as a ``with`` block."""

    __slots__ = ()

    def start(self) -> Self:
        """Start and wait until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it; does nothing when it is not running."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def free_port() -> int:
    """A loopback TCP port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(reached: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Ask again and again until ``reached``; AssertionError naming ``what`` at the deadline."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not reached():
        assert time.monotonic() < deadline, f"no {what} within {seconds} s"
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def end(process: subprocess.Popen[bytes], seconds: float = 30) -> int:
    """Ask a process to stop and wait for it; its exit code. Killed at the deadline."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def family(pid: int) -> list[int]:
    """A process and all its descendants, oldest first."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
                found.extend(int(child) for child in children.read_text().split())
    return found


def resident(pid: int, *, peak: bool = False) -> int:
    """Bytes of memory a process holds, or has held at most since :func:`forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None, f"process {pid} has no memory of its own"
    return int(found[1]) * 1024


def forget_peak(pid: int) -> None:
    """Make the kernel start a new high-water mark of resident memory (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")

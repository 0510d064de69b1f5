"""Starting programs on a chosen CPU, and what /proc says about them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.processes import family

SERVER_CPU = 0
LOAD_CPU = 1
_TICKS = os.sysconf("SC_CLK_TCK")


def tool(name: str) -> str:
    """The path of an installed program; SystemExit naming it when it is missing."""
    found = find(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def find(name: str) -> str | None:
    """The path of a program of the system or of this Python's environment."""
    beside = Path(sys.executable).parent
    return shutil.which(name, path=f"{beside}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def on_cpu(cpu: int | None, command: Sequence[str]) -> list[str]:
    """The command pinned to one CPU, or as it is for None."""
    return list(command) if cpu is None else [tool("taskset"), "-c", str(cpu), *command]


def free_port() -> int:
    """A loopback TCP port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(url: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Wait until ``url`` answers anything below 500; SystemExit when the process ends before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server of {url} ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=seconds):
                return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise SystemExit(f"no answer from {url} within {seconds} s")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to stop; kill it when it does not."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """CPU time, user and system, that a process and its descendants have used."""
    ticks = 0
    for member in family(pid):
        # The name in parentheses may hold blanks: fields are counted after it (proc(5)).
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def settle(pid: int, seconds: float = 15) -> None:
    """Wait until the process and its children have nothing left to do, at most so long."""
    ends = time.monotonic() + seconds
    before = cpu_seconds(pid)
    while time.monotonic() < ends:
        time.sleep(0.3)
        now = cpu_seconds(pid)
        if now - before < 0.02:
            return
        before = now


def resident(pid: int) -> int:
    """Bytes of memory held by a process and its descendants; shared pages count for each."""
    return _memory(pid, "VmRSS")


def forget_peak(pid: int) -> None:
    """Let :func:`peak` begin again for a process and its descendants."""
    for member in family(pid):
        Path(f"/proc/{member}/clear_refs").write_text("5")  # proc(5)


def peak(pid: int) -> int:
    """Most bytes that each of them held, summed: at least the most that all held at one time."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, line: str) -> int:
    total = 0
    for member in family(pid):
        status = Path(f"/proc/{member}/status").read_text()
        found = re.search(rf"^{line}:\s+(\d+) kB$", status, re.MULTILINE)
        total += int(found[1]) * 1024 if found else 0
    return total

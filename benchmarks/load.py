"""Load from processes of their own: wrk for small answers, clients that drop what they get."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.processes import (
    cpu_seconds,
    forget_peak,
    on_cpu,
    peak,
    resident,
    settle,
    tool,
)
from benchmarks.targets import Target

_REPORT = """
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "seconds": %f, "statuses": %d, "sockets": %d, "p50": %f, "p99": %f}\\n',
    summary.requests, summary.duration / 1e6, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""

_DISTINCT = """
local serial = 0
function init(args) base, stamp = args[1], args[2] end
function request()
  serial = serial + 1
  local version = stamp .. "." .. serial
  return wrk.format("GET", base .. "/com/example/miss/" .. version .. "/miss-" .. version .. ".pom")
end
"""


@frozen
class Measure:
    """One target in one round."""

    rate: float
    """Requests, gigabytes or whole pulls a second."""
    cpu: float
    """CPU of the server: microseconds a request, or seconds a gigabyte or a pull."""
    latency: float
    """Milliseconds: the 99th percentile of small answers, the first byte of big ones, the whole
    of a pull."""
    memory: float
    """Resident megabytes afterwards."""
    growth: float | None = None
    """Resident megabytes at most, above those before."""
    asked: int | None = None
    """Requests that the upstream got meanwhile."""


class Failed(Exception):
    """A target answered otherwise than the load wants; the message says how."""


def requests(
    target: Target,
    url: str,
    connections: int,
    seconds: int,
    cpu: int | None,
    accept: str = "*/*",
    headers: Sequence[str] = (),
) -> Measure:
    """Ask for one URL again and again; ``headers`` are further lines. Raises Failed when any answer
    is not a success."""
    lines = (f"Accept: {accept}", *headers)
    return _wrk(target, url, _REPORT, [], connections, seconds, cpu, absent=False, lines=lines)


def misses(
    target: Target, registry: str, stamp: str, connections: int, seconds: int, cpu: int | None
) -> Measure:
    """Ask for a path nobody asked for before, each time; ``stamp`` is unique to this call. Raises
    Failed."""
    base = "/" + target.urls[registry].split("/", 3)[3]
    absent = registry.startswith("absent")
    url = target.urls[registry]
    arguments = [base, stamp]
    return _wrk(
        target, url, _REPORT + _DISTINCT, arguments, connections, seconds, cpu, absent=absent
    )


def downloads(target: Target, url: str, times: int, clients: int, cpu: int | None) -> Measure:
    """Drain a big file ``times`` times in each of ``clients`` connections at once. Raises
    Failed."""
    arguments = ["benchmarks.drain", url, str(times), str(clients)]
    return _transfer(target, arguments, lambda seen: float(seen["bytes"]) / 1e9, cpu)


def pulls(
    target: Target, base: str, repository: str, tag: str, times: int, cpu: int | None
) -> Measure:
    """Pull an image so often, one time after the other."""
    arguments = ["benchmarks.images.pull", base, repository, tag, str(times)]
    return _transfer(target, arguments, lambda seen: float(seen["pulls"]), cpu)


def _transfer(
    target: Target,
    arguments: list[str],
    amount: Callable[[dict[str, float]], float],
    cpu: int | None,
) -> Measure:
    """Run a client of ours, which prints what it saw, of which ``amount`` is what counts."""
    os.sync()  # what others left to write is not this target's to wait for
    forget_peak(target.pid)
    held = resident(target.pid)
    before = cpu_seconds(target.pid)
    seen = json.loads(_run(on_cpu(cpu, [sys.executable, "-m", *arguments])))
    # Work put off until the clients have their bytes counts too, and is not the next one's burden.
    settle(target.pid)
    used = cpu_seconds(target.pid) - before
    return Measure(
        rate=amount(seen) / seen["seconds"],
        cpu=used / amount(seen),
        latency=seen["latency"] * 1000,
        memory=resident(target.pid) / 1e6,
        growth=(peak(target.pid) - held) / 1e6,
    )


def _wrk(
    target: Target,
    url: str,
    script: str,
    arguments: list[str],
    connections: int,
    seconds: int,
    cpu: int | None,
    *,
    absent: bool,
    lines: Sequence[str] = (),
) -> Measure:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = [tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", file.name]
        command += [word for line in lines for word in ("-H", line)]
        command += [url]
        before = cpu_seconds(target.pid)
        seen = json.loads(_run(on_cpu(cpu, [*command, "--", *arguments])).splitlines()[-1])
        used = cpu_seconds(target.pid) - before
    answered = seen["requests"]
    wrong = seen["sockets"] + (answered - seen["statuses"] if absent else seen["statuses"])
    if not answered or wrong:
        raise Failed(f"{wrong} of {answered} answers of {url} were wrong")
    return Measure(
        rate=answered / seen["seconds"],
        cpu=used / answered * 1e6,
        latency=seen["p99"],
        memory=resident(target.pid) / 1e6,
    )


def _run(command: list[str]) -> str:
    # The draining client is a module of this package.
    above = Path(__file__).parent.parent
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=above)
    if done.returncode:
        raise Failed(done.stderr.strip() or f"{command} ended with {done.returncode}")
    return done.stdout

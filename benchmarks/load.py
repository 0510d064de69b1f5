"""Load from processes of their own: wrk for small answers, a draining client for big ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

from benchmarks.processes import cpu_seconds, on_cpu, resident, settle, tool
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
    """Requests or gigabytes a second."""
    cpu: float
    """CPU of the server: microseconds a request, or seconds a gigabyte."""
    latency: float
    """Milliseconds: the 99th percentile of small answers, the first byte of big ones."""
    memory: float
    """Resident megabytes afterwards."""


def requests(target: Target, path: str, connections: int, seconds: int, cpu: int | None) -> Measure:
    """Ask for one path again and again. SystemExit when any answer is not a success."""
    url = f"{target.urls['hits']}/{path}"
    return _wrk(target, url, _REPORT, [], connections, seconds, cpu, absent=False)


def misses(
    target: Target, registry: str, stamp: str, connections: int, seconds: int, cpu: int | None
) -> Measure:
    """Ask for a path nobody asked for before, each time; ``stamp`` is unique to this call."""
    base = "/" + target.urls[registry].split("/", 3)[3]
    absent = registry.startswith("absent")
    url = target.urls[registry]
    arguments = [base, stamp]
    return _wrk(
        target, url, _REPORT + _DISTINCT, arguments, connections, seconds, cpu, absent=absent
    )


def downloads(target: Target, url: str, times: int, clients: int, cpu: int | None) -> Measure:
    """Drain a big file ``times`` times in each of ``clients`` connections at once."""
    command = [sys.executable, "-m", "benchmarks.drain", url, str(times), str(clients)]
    os.sync()  # what others left to write is not this target's to wait for
    before = cpu_seconds(target.pid)
    seen = json.loads(_run(on_cpu(cpu, command)))
    # Work put off until the clients have their bytes counts too, and is not the next one's burden.
    settle(target.pid)
    used = cpu_seconds(target.pid) - before
    gigabytes = seen["bytes"] / 1e9
    return Measure(
        rate=gigabytes / seen["seconds"],
        cpu=used / gigabytes,
        latency=seen["first_byte"] * 1000,
        memory=resident(target.pid) / 1e6,
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
) -> Measure:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = [tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", file.name, url]
        before = cpu_seconds(target.pid)
        seen = json.loads(_run(on_cpu(cpu, [*command, "--", *arguments])).splitlines()[-1])
        used = cpu_seconds(target.pid) - before
    answered = seen["requests"]
    wrong = seen["sockets"] + (answered - seen["statuses"] if absent else seen["statuses"])
    if not answered or wrong:
        raise SystemExit(f"{target.name}: {wrong} of {answered} answers of {url} were wrong")
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
        raise SystemExit(done.stderr.strip() or f"{command} ended with {done.returncode}")
    return done.stdout

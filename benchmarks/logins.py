"""``python -m benchmarks.logins``: what a login costs a hit.

One server lets everybody pull, another asks for a token that may; the same small file is asked for
of both, the second time by each way of showing the token. All on loopback, the server on one CPU
and the load on another where there are two.
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.load import Measure, requests
from benchmarks.processes import LOAD_CPU, SERVER_CPU, end, free_port
from benchmarks.targets import Target, start, static

_FILE = "com/example/a/1/a-1.pom"
_SIZE = 8 * 1024
_TABLES = """
[server]
host = "127.0.0.1"
port = {port}
access_log = false
[storage]
path = "data"
[access]
enabled = {restricted}
[limits]
requests = 0
[[upstream]]
name = "files"
url = "{upstream}"
allow_private = ["127.0.0.0/8"]
[[registry]]
name = "main"
format = "maven"
upstreams = ["files"]
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logins", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    cpus = (SERVER_CPU, LOAD_CPU) if (os.cpu_count() or 1) > 1 else (None, None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root = folder / "root"
        (root / _FILE).parent.mkdir(parents=True)
        (root / _FILE).write_bytes(b"<project/>".ljust(_SIZE))
        upstream = static(folder / "upstream", root, cpus[1])
        stack.callback(end, upstream.process)
        ways: dict[str, tuple[Target, tuple[str, ...]]] = {}
        for restricted in (False, True):
            name = "with a login" if restricted else "open"
            place = _made(folder / name)
            target = _serve(name, place, upstream.urls["hits"], cpus[0], restricted=restricted)
            stack.callback(end, target.process)
            if restricted:
                secret = _token(place)
                login = base64.b64encode(f"ann:{secret}".encode()).decode()
                ways["Private-Token"] = (target, (f"Private-Token: {secret}",))
                ways["Basic"] = (target, (f"Authorization: Basic {login}",))
            else:
                ways["open"] = (target, ())
        rounds: list[dict[str, Measure]] = []
        for _ in range(options.rounds):
            rounds.append({})
            for way, (target, headers) in ways.items():
                _warm(target, headers)
                rounds[-1][way] = requests(
                    target,
                    target.urls["main"],
                    options.connections,
                    options.seconds,
                    cpus[1],
                    headers=headers,
                )
    print(f"{'way':<16}{'hits/s':>10}{'x open':>8}{'us CPU':>8}{'x open':>8}")
    for way in ways:
        rate = median(one[way].rate for one in rounds)
        cpu = median(one[way].cpu for one in rounds)
        rates = median(one[way].rate / one["open"].rate for one in rounds)
        costs = median(one[way].cpu / one["open"].cpu for one in rounds)
        print(f"{way:<16}{rate:>10.0f}{rates:>8.2f}{cpu:>8.1f}{costs:>8.2f}")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _serve(name: str, folder: Path, upstream: str, cpu: int | None, *, restricted: bool) -> Target:
    port = free_port()
    tables = _TABLES.format(port=port, upstream=upstream, restricted=str(restricted).lower())
    (folder / "server.toml").write_text(tables)
    command = [sys.executable, "-m", "virtreg", "serve", str(folder / "server.toml")]
    base = f"http://127.0.0.1:{port}"
    urls = {"main": f"{base}/maven/main/{_FILE}"}
    return start(name, command, folder, urls, f"{base}/-/ready", cpu)


def _token(folder: Path) -> str:
    """Of a guest of the registry's group; the server is told of it as by any command."""
    config = ("--config", str(folder / "server.toml"))
    for words in (("user", "add", "ann"), ("member", "set", "default", "ann", "guest")):
        subprocess.run([sys.executable, "-m", "virtreg", *words, *config], check=True)
    wanted = ("token", "create", "--kind", "personal", "--user", "ann")
    command = [sys.executable, "-m", "virtreg", *wanted, *config]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()


def _warm(target: Target, headers: tuple[str, ...]) -> None:
    """Have the file cached, and the token known."""
    shown = dict(header.split(": ", 1) for header in headers)
    for _ in range(3):
        with urllib.request.urlopen(
            urllib.request.Request(target.urls["main"], headers=shown)
        ) as answer:
            assert len(answer.read()) == _SIZE


if __name__ == "__main__":
    main()

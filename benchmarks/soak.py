"""``python -m benchmarks.soak``: mixed traffic of Maven and images at full load, with something
breaking all the time. Ends with status 1 when a byte was wrong, an answer late, or a process of the
server grew or ended."""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import define, field

from benchmarks.soaking import content
from benchmarks.soaking.crowd import Crowd
from benchmarks.soaking.trouble import Troubles
from benchmarks.soaking.watch import MIB, Watch
from tests.e2e.server import Setting, Upstream
from tests.faults import bucket as buckets
from tests.faults.node import Node
from tests.faults.proxy import Proxies, Proxy
from tests.postgres import postgres_cluster
from virtreg.backends.vault import new_key

_SETTINGS: Mapping[str, Setting] = {
    "connect_timeout": 2,
    "read_timeout": 4,
    "cache_validity_hours": 0.01,
    "metadata_cache_validity_hours": 0.005,
    "negative_validity_seconds": 5,
}
"""Of upstreams: much grows old while it is pulled."""

_HOT_BYTES = 16 * MIB
"""Little, so that memory is full soon."""

_WARM = 120.0
"""Seconds until memory is full of what it may be full of, at least."""
_TOLD = 60
"""Seconds from which growth is told."""


@define
class Shared:
    """What nodes have in common, and what may break of it."""

    storing: dict[str, Setting] = field(factory=dict)
    environment: dict[str, str] = field(factory=dict)
    proxies: dict[str, Proxy] = field(factory=dict)
    other: dict[str, Callable[[], None]] = field(factory=dict)


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        proxies = stack.enter_context(Proxies())
        shared = _shared(stack, folder, proxies, options)
        upstreams = _upstreams(proxies, stack.enter_context(_upstream()), shared)
        nodes = [
            _node(folder / f"node-{number}", upstreams, shared, options.workers)
            for number in range(options.nodes)
        ]
        for node in nodes:
            node.start()
            stack.callback(node.stop)
        raise SystemExit(_soak(nodes, shared, options))


def _soak(nodes: Sequence[Node], shared: Shared, options: argparse.Namespace) -> int:
    crowd = Crowd([f"http://{node.host}" for node in nodes], options.clients)
    watch = Watch([node.pids()[0] for node in nodes])
    began = [set(node.pids()) for node in nodes]
    troubles = Troubles(shared.proxies, shared.other, options.seed)
    crowd.start()
    troubles.start()
    try:
        _follow(crowd, watch, troubles, options.seconds, options.every)
    finally:
        troubles.stop()
        crowd.stop()
    ended = sum(len(pids - set(node.pids())) for pids, node in zip(began, nodes, strict=True))
    return _tell(crowd, watch, troubles, ended, options.seconds)


def _follow(crowd: Crowd, watch: Watch, troubles: Troubles, seconds: int, every: int) -> None:
    print(
        f"{'s':>5} {'requests':>9} {'/s':>5} {'errors':>7} {'wrong':>5} {'late':>4}"
        f" {'faults':>6}  of each process: MiB, descriptors, threads",
        flush=True,
    )
    began = time.monotonic()
    before = 0
    nothing = threading.Event()
    for moment in range(every, seconds + 1, every):
        for second in range(every):
            nothing.wait(max(0.0, began + moment - every + second + 1 - time.monotonic()))
            samples = watch.look()
        counted = crowd.counted()
        requests = counted["requests"]
        held = "  ".join(
            f"{one.resident / MIB:.0f} {one.descriptors} {one.threads}" for one in samples
        )
        print(
            f"{moment:>5} {requests:>9} {(requests - before) / every:>5.0f}"
            f" {_errors(counted):>7} {counted['wrong']:>5} {counted['late']:>4}"
            f" {troubles.done.total():>6}  {held}",
            flush=True,
        )
        before = requests


def _tell(crowd: Crowd, watch: Watch, troubles: Troubles, ended: int, seconds: int) -> int:
    """The exit status."""
    counted = crowd.counted()
    print(f"\n{counted['requests']} requests, {_errors(counted)} errors:")
    for cause, number in sorted(counted.items()):
        if cause.startswith("error: "):
            print(f"  {number:>8} {cause.removeprefix('error: ')}")
    print(f"{troubles.done.total()} faults:")
    for name, number in sorted(troubles.done.items()):
        print(f"  {number:>8} {name}")
    warm = max(_WARM, min(seconds / 3, 300))
    grown = watch.grown(warm) if seconds >= warm + _TOLD else []
    print(f"growth after {warm:.0f} s:" if grown else "too short to tell growth")
    for one in grown:
        print(f"  {one}")
    wrong = [
        *(f"wrong: {each}" for each in crowd.wrong[:20]),
        *(f"grown: {each}" for each in grown if each.by > each.most),
        *([f"{counted['late']} late answers"] if counted["late"] else []),
        *([f"{ended} processes ended"] if ended else []),
        *([f"the troubles ended: {troubles.failed!r}"] if troubles.failed else []),
        *([] if counted["requests"] else ["no requests"]),
    ]
    print(f"{counted['wrong']} wrong answers, {counted['late']} late")
    for each in wrong:
        print(each, file=sys.stderr)
    return int(bool(wrong))


def _errors(counted: Mapping[str, int]) -> int:
    return sum(number for cause, number in counted.items() if cause.startswith("error: "))


@contextmanager
def _upstream() -> Iterator[int]:
    """The port of all upstreams."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soaking.upstream"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate()


def _upstreams(proxies: Proxies, port: int, shared: Shared) -> list[Upstream]:
    found = []
    for name in (*content.MAVEN, "images"):
        proxy = proxies.to(port)
        shared.proxies[name] = proxy
        below = "" if name == "images" else f"/{name}"
        found.append(Upstream(name, f"http://127.0.0.1:{proxy.port}{below}", _SETTINGS))
    return found


def _shared(
    stack: ExitStack, folder: Path, proxies: Proxies, options: argparse.Namespace
) -> Shared:
    shared = Shared()
    if options.postgres:
        cluster = stack.enter_context(postgres_cluster())
        name = stack.enter_context(cluster.database())
        proxy = shared.proxies["database"] = proxies.to(cluster.port)
        shared.storing["database"] = "env:SOAK_DATABASE"
        shared.environment["SOAK_DATABASE"] = cluster.url(name, proxy.port)
        shared.environment["VIRTREG_SECRET_KEYS"] = new_key().reveal()

        def restart() -> None:
            cluster.stop()
            cluster.start()

        shared.other["database: restarted"] = restart
    if options.s3:
        bucket = stack.enter_context(buckets.bucket(folder / "bucket"))
        proxy = shared.proxies["bucket"] = proxies.to(bucket.port)
        shared.storing["url"] = f"s3://{buckets.NAME}/{secrets.token_hex(4)}"
        # Less than what is pulled: some of it comes from the bucket each time.
        shared.storing["cache_bytes"] = 64 * MIB
        shared.environment |= bucket.environment(proxy.port)
        shared.other["bucket: restarted"] = lambda: bucket.reopen("open")
    return shared


def _node(folder: Path, upstreams: Sequence[Upstream], shared: Shared, workers: int) -> Node:
    return Node(
        folder,
        upstreams,
        settings={"upstreams": list(content.MAVEN)},
        also={
            "files": {"format": "maven", "upstreams": list(content.MAVEN)},
            "images": {"format": "container", "upstreams": ["images"]},
        },
        serving={"hot_bytes": _HOT_BYTES, "workers": workers},
        storing=shared.storing,
        environment=shared.environment,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description="Mixed traffic of Maven and images at full load, with faults all the time, all"
        " on loopback. Status 1: a byte was wrong, an answer late, or a process grew or ended.",
    )
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--clients", type=int, default=6, help="processes")
    parser.add_argument("--nodes", type=int, help="default: 1, or 2 with --postgres and --s3")
    parser.add_argument("--workers", type=int, default=2, help="processes of each node")
    parser.add_argument("--postgres", action="store_true", help="what is known in PostgreSQL")
    parser.add_argument("--s3", action="store_true", help="files in a bucket of SeaweedFS")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    parser.add_argument("--every", type=int, default=10, help="seconds between two lines")
    parser.add_argument("--folder", type=Path, help="where files go (default: temporary)")
    options = parser.parse_args()
    together = options.postgres and options.s3
    options.nodes = options.nodes or (2 if together else 1)
    if options.nodes > 1 and not together:
        parser.error("several nodes need --postgres and --s3")
    return options


if __name__ == "__main__":
    main()

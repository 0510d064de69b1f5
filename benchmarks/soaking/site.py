"""Everything that runs: upstreams, servers, and what they keep things in, each behind a proxy that
can break it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from attrs import define, frozen

from tests.e2e.processes import free_port, until
from tests.e2e.server import Setting, Upstream
from tests.faults import bucket as buckets
from tests.faults.bucket import Bucket
from tests.faults.node import Node
from tests.faults.proxy import Proxies, Proxy
from tests.postgres import Cluster, postgres_cluster
from virtreg.backends.vault import new_key

REPOSITORY = Path(__file__).parents[2]
WORKERS = 2
QUOTA = "500MB"
_NEARBY = 200_000_000
_MOVING = 2 / 3600
"""Hours that what moves is believed."""

_HASTY: Mapping[str, Setting] = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "metadata_cache_validity_hours": _MOVING,
}


@frozen
class Shared:
    """What nodes share."""

    cluster: Cluster
    bucket: Bucket
    database_proxy: Proxy
    bucket_proxy: Proxy


@define
class Site:
    """``nodes`` are one, or two over ``shared``."""

    folder: Path
    nodes: list[Node]
    upstreams: dict[str, Proxy]
    upstream_port: int
    shared: Shared | None

    def moods(self) -> dict[str, int]:
        """How often the upstreams misbehaved by themselves."""
        url = f"http://127.0.0.1:{self.upstream_port}/-/moods"
        with urllib.request.urlopen(url, timeout=30) as answer:
            told: dict[str, int] = json.load(answer)
        return told

    def vacuum(self) -> None:
        """Give back the room of what was removed from the bucket, which it would do by itself in
        time."""
        if self.shared is not None:
            url = f"http://127.0.0.1:{self.shared.bucket.ports[0]}/vol/vacuum?garbageThreshold=0.05"
            with suppress(OSError), urllib.request.urlopen(url, timeout=60):
                pass

    def run(self, *arguments: str) -> None:
        """A command of virtreg, with the configuration of the first node."""
        node = self.nodes[0]
        subprocess.run(
            [sys.executable, "-m", "virtreg", *arguments, "--config", str(node.config)],
            env={**os.environ, **node.environment},
            check=False,
            capture_output=True,
            timeout=60,
        )


@contextmanager
def site(folder: Path, epoch: float, *, shared: bool) -> Iterator[Site]:
    """It runs; all of it is ended with the context."""
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(_upstream(port, epoch))
        proxies = stack.enter_context(Proxies())
        through = {name: proxies.to(port) for name in ("first", "second", "hub")}
        parts = stack.enter_context(_shared(folder, proxies)) if shared else None
        nodes = _nodes(folder, through, stack, parts)
        one = Site(folder, nodes, through, port, parts)
        for node in nodes:
            node.start()
            stack.callback(_end, node)
        one.run("storage", "--quota", QUOTA, "--when-full", "evict")
        yield one


def _end(node: Node) -> None:
    """At the latest by force."""
    with suppress(subprocess.TimeoutExpired, AssertionError, ProcessLookupError):
        node.stop()


def _nodes(
    folder: Path, through: Mapping[str, Proxy], stack: ExitStack, parts: Shared | None
) -> list[Node]:
    environment: dict[str, str] = {}
    storing: dict[str, Setting] = {}
    if parts is not None:
        name = stack.enter_context(parts.cluster.database())
        environment = {
            **parts.bucket.environment(parts.bucket_proxy.port),
            "SOAKED_DATABASE": parts.cluster.url(name, parts.database_proxy.port),
            "VIRTREG_SECRET_KEYS": new_key().reveal(),
        }
        storing = {
            "database": "env:SOAKED_DATABASE",
            "url": f"s3://{buckets.NAME}/{secrets.token_hex(4)}",
            "cache_bytes": _NEARBY,
        }
    upstreams = [
        Upstream(name, f"http://127.0.0.1:{through[name].port}{below}", _HASTY)
        for name, below in (("first", "/first"), ("second", "/second"), ("hub", ""))
    ]
    return [
        Node(
            folder / f"node-{number}",
            upstreams,
            settings={"upstreams": ["first"]},
            also={
                "files": {"format": "maven", "upstreams": ["first", "second"]},
                "pictures": {"format": "container", "upstreams": ["hub"]},
            },
            environment=environment,
            serving={"workers": WORKERS, "graceful_timeout": 5, "hot_bytes": 16 * 1024 * 1024},
            storing=storing,
        )
        for number in range(1 if parts is None else 2)
    ]


@contextmanager
def _upstream(port: int, epoch: float) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.soaking.upstream", str(port), str(epoch)]
    process = subprocess.Popen(command, cwd=REPOSITORY)

    def answers() -> bool:
        assert process.poll() is None, "the upstreams ended"
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/moods"):
            return True
        return False

    try:
        until(answers, "upstreams")
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _shared(folder: Path, proxies: Proxies) -> Iterator[Shared]:
    with postgres_cluster() as cluster, buckets.bucket(folder / "bucket") as bucket:
        yield Shared(cluster, bucket, proxies.to(cluster.port), proxies.to(bucket.port))

"""The servers that hand out images, and the upstream behind them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from attrs import define

from benchmarks.images.shelf import MANIFEST, TAG, Image
from benchmarks.processes import find, free_port, tool
from benchmarks.targets import Target, nginx, proxy, start

LINE = 125_000_000
"""Bytes a second, which a network of 1 Gbit/s moves."""

_NGINX = """  log_format bench "$request_method $request_uri $status";
  map $uri $held {{
    default none;
    "~/(?:blobs|manifests)/sha256:(?<hex>[0-9a-f]+)$" $hex;
    {tags}
  }}
  server {{
    listen 127.0.0.1:{port};
    root {root};
    access_log {log} bench;
    location = /v2/ {{
      add_header Docker-Distribution-Api-Version registry/2.0;
      return 200 "{{}}";
    }}
    location ~ /manifests/ {{
      default_type {manifest};
      add_header Docker-Content-Digest sha256:$held;
      try_files /$held =404;
    }}
    location ~ ^/v2/line/ {{ limit_rate {line}; try_files /$held =404; }}
    location / {{ try_files /$held =404; }}
  }}"""


@define
class Upstream(Target):
    """nginx as a registry of files that are named by their SHA-256."""

    log: Path

    @property
    def origin(self) -> str:
        return self.urls["images"].removesuffix("/v2")

    def asked(self, part: str) -> int:
        """How many finished GETs had ``part`` in their path."""
        lines = self.log.read_text().splitlines()
        return sum(line.startswith("GET ") and part in line for line in lines)


def upstream(folder: Path, root: Path, images: list[Image], cpu: int | None) -> Upstream:
    """Everything below ``root`` under any repository; blobs of those below ``line/`` no faster
    than :data:`LINE` (and a second's worth at once)."""
    port, log = free_port(), folder / "access.log"
    folder.mkdir()
    tags = "\n    ".join(
        f"/v2/{one.repository}/manifests/{TAG} {one.manifest.digest.removeprefix('sha256:')};"
        for one in images
    )
    http = _NGINX.format(log=log, tags=tags, port=port, root=root, manifest=MANIFEST, line=LINE)
    urls = {"images": f"http://127.0.0.1:{port}/v2"}
    running = nginx("direct", folder, http, urls, cpu)
    return Upstream(running.name, running.urls, running.process, log)


def nginx_proxy(folder: Path, behind: Upstream, cpu: int | None) -> Target:
    """A cache that knows nothing of images, proves nothing and never asks again: what the machine
    allows."""
    return proxy(folder, behind.urls["images"], "/v2", ("images",), cpu)


def virtreg(folder: Path, behind: Upstream, cpu: int | None) -> Target:
    """The bundled server with its one worker."""
    port = free_port()
    folder.mkdir()
    config = folder / "server.toml"
    config.write_text(f"""
[server]
host = "127.0.0.1"
port = {port}
access_log = false
[storage]
path = "data"
[[upstream]]
name = "bench"
url = "{behind.origin}"
allow_private = ["127.0.0.0/8"]
[[registry]]
id = 1
name = "images"
format = "container"
upstreams = ["bench"]
""")
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "virtreg", "serve", str(config)]
    return start(
        "virtreg", command, folder, {"images": f"{base}/v2/images"}, f"{base}/-/ready", cpu
    )


def docker_registry(folder: Path, behind: Upstream, cpu: int | None) -> Target:
    """CNCF distribution as a pull-through cache."""
    port = free_port()
    folder.mkdir()
    config = folder / "config.yml"
    settings = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "never used: nothing is uploaded"},
        "proxy": {"remoteurl": behind.origin},
    }
    config.write_text(json.dumps(settings))  # JSON is YAML
    base = f"http://127.0.0.1:{port}/v2"
    command = [tool("docker-registry"), "serve", str(config)]
    return start("docker-registry", command, folder, {"images": base}, f"{base}/", cpu)


def drayage(folder: Path, behind: Upstream, cpu: int | None) -> Target:
    """Its upstream is the first component of a path, with dots."""
    port = free_port()
    (folder / "cache").mkdir(parents=True)
    config = folder / "config.toml"
    # Its timeouts are for whole answers.
    config.write_text(f"""
listen = "127.0.0.1:{port}"
cache_dir = "{folder / "cache"}"
manifest_ttl_seconds = 86400
read_timeout_secs = 600
[upstreams.bench_local]
registry = "{behind.origin}"
""")
    base = f"http://127.0.0.1:{port}"
    command = [tool("drayage"), "serve", "--config", str(config)]
    urls = {"images": f"{base}/v2/bench.local"}
    return start("drayage", command, folder, urls, f"{base}/readyz", cpu)


Start = Callable[[Path, Upstream, int | None], Target]

STARTS: dict[str, Start] = {
    "nginx-proxy": nginx_proxy,
    "docker-registry": docker_registry,
    "drayage": drayage,
    "virtreg": virtreg,
}
"""How each server under test is started; pass any subset to compare fewer."""


def missing(name: str) -> bool:
    """Whether a server under test is a program that is not installed."""
    return name in {"docker-registry", "drayage"} and find(name) is None

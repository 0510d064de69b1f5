"""The servers that are compared, and the upstream behind them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import define, field

from benchmarks.files import small_pom
from benchmarks.processes import await_answer, end, free_port, on_cpu, tool

WIDTHS = (1, 5, 20)
"""How many upstreams the registries that miss have."""

_NGINX = """daemon off;
{user}worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  types {{ }}
  default_type application/octet-stream;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{http}
}}
"""


@define
class Target:
    """A running server. ``urls`` maps the name of a registry to its base URL, without a slash at
    the end; what a target does not offer is not there."""

    name: str
    urls: dict[str, str]
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def close(self) -> None:
        end(self.process)


def upstream(folder: Path, root: Path, cpu: int | None) -> Target:
    """nginx with the files at ``/files``, nothing at ``/missing``, and at ``/any`` a POM for
    every path with its right ``.sha1``."""
    port, pom = free_port(), folder / "any.pom"
    folder.mkdir()
    pom.write_bytes(small_pom())
    sha1 = hashlib.sha1(small_pom()).hexdigest()
    http = f"""  server {{
    listen 127.0.0.1:{port};
    location /files/ {{ alias {root}/; }}
    location /missing {{ return 404; }}
    location ~ ^/any/.*\\.sha1$ {{ return 200 "{sha1}"; }}
    location ~ ^/any/.*\\.(md5|sha256|sha512)$ {{ return 404; }}
    location /any/ {{ root {folder}; rewrite ^ /any.pom break; }}
  }}"""
    base = f"http://127.0.0.1:{port}"
    urls = {"hits": f"{base}/files", "cold": f"{base}/files"}
    urls |= {f"absent-{width}": f"{base}/missing" for width in WIDTHS}
    urls |= {f"last-{width}": f"{base}/any" for width in WIDTHS}
    return nginx("direct", folder, http, urls, cpu)


def static(folder: Path, root: Path, cpu: int | None) -> Target:
    """nginx that has the files itself."""
    port = free_port()
    folder.mkdir()
    http = f"  server {{ listen 127.0.0.1:{port}; root {root}; }}"
    return nginx("nginx-static", folder, http, {"hits": f"http://127.0.0.1:{port}"}, cpu)


def proxy(folder: Path, behind: str, place: str, names: Iterable[str], cpu: int | None) -> Target:
    """nginx that caches what it fetches below the URL ``behind``, offered below ``place`` under
    those names of registries."""
    port = free_port()
    folder.mkdir()
    origin, _, path = behind.removeprefix("http://").partition("/")
    http = f"""  proxy_cache_path {folder}/cache levels=1:2 keys_zone=bench:16m max_size=32g
    inactive=1d use_temp_path=off;
  upstream origin {{ server {origin}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location {place}/ {{
      proxy_pass http://origin/{path}/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache bench;
      proxy_cache_valid 200 1d;
      proxy_cache_lock on;
      proxy_cache_lock_timeout 60s;
      proxy_cache_lock_age 60s;
    }}
  }}"""
    urls = dict.fromkeys(names, f"http://127.0.0.1:{port}{place}")
    return nginx("nginx-proxy", folder, http, urls, cpu)


def virtreg(folder: Path, behind: Target, cpu: int | None) -> Target:
    """The bundled server with its one worker."""
    port = free_port()
    folder.mkdir()
    origin = behind.urls["hits"].removesuffix("/files")
    tables = ["[server]", 'host = "127.0.0.1"', f"port = {port}", "access_log = false"]
    tables += ["[storage]", 'path = "data"']
    # Every registry has upstreams of its own, so that a breaker or a pool of one scenario cannot
    # be felt in another.
    registries = {"hits": ["files"], "cold": ["files"]}
    registries |= {f"absent-{width}": ["missing"] * width for width in WIDTHS}
    registries |= {f"last-{width}": ["missing"] * (width - 1) + ["any"] for width in WIDTHS}
    for identity, (registry, places) in enumerate(registries.items(), 1):
        names = [f"{registry}-{position}" for position in range(len(places))]
        for name, place in zip(names, places, strict=True):
            tables += ["[[upstream]]", f'name = "{name}"', f'url = "{origin}/{place}/{name}"']
            if place == "files":
                tables[-1] = f'url = "{origin}/files"'
            tables += ['allow_private = ["127.0.0.0/8"]']
        listed = ", ".join(f'"{name}"' for name in names)
        tables += ["[[registry]]", f"id = {identity}", f'name = "{registry}"', 'format = "maven"']
        tables += [f"upstreams = [{listed}]"]
    config = folder / "server.toml"
    config.write_text("\n".join(tables) + "\n")
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "virtreg", "serve", str(config)]
    urls = {registry: f"{base}/maven/{registry}" for registry in registries}
    return start("virtreg", command, folder, urls, f"{base}/-/ready", cpu)


def nginx(name: str, folder: Path, http: str, urls: dict[str, str], cpu: int | None) -> Target:
    """nginx in an existing folder; ``http`` is that section of its configuration."""
    # Workers of a root master would give up root and could not read the files of a private folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, user=user, http=http))
    command = [tool("nginx"), "-p", str(folder), "-c", str(config), "-e", f"{folder}/error.log"]
    return start(name, command, folder, urls, next(iter(urls.values())) + "/", cpu)


def start(
    name: str, command: list[str], folder: Path, urls: dict[str, str], ready: str, cpu: int | None
) -> Target:
    """Run a server in an existing folder until it answers at ``ready``."""
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(on_cpu(cpu, command), cwd=folder, stdout=output, stderr=output)
    await_answer(ready, process)
    return Target(name, urls, process)


Start = Callable[[Path, Path, Target, int | None], Target]

STARTS: dict[str, Start] = {
    "nginx-static": lambda folder, root, _, cpu: static(folder, root, cpu),
    "nginx-proxy": lambda folder, _, behind, cpu: proxy(
        folder, behind.urls["hits"], "", ("hits", "cold"), cpu
    ),
    "virtreg": lambda folder, _, behind, cpu: virtreg(folder, behind, cpu),
}
"""How each server under test is started; pass any subset to compare fewer."""

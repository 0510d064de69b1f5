"""Real nginx in front of folders: one site, on its own port, per upstream."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from attrs import define, field, frozen

from tests.e2e.processes import Started, end, free_port, until


@frozen
class Logged:
    """One line of the access log."""

    site: str
    method: str
    path: str
    status: int
    sent: int
    """Bytes of body that left."""


@define
class Nginx(Started):
    """Not thread-safe. ``rates`` limits a site's bytes per second for each connection."""

    folder: Path
    """Empty; holds configuration, temporary files and logs."""
    sites: Mapping[str, Path]
    rates: Mapping[str, int] = field(factory=dict)
    ports: dict[str, int] = field(factory=dict, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _fences: int = field(default=0, init=False)

    def url(self, site: str) -> str:
        """The base URL of a site, without a slash at its end."""
        return f"http://127.0.0.1:{self.ports[site]}"

    def start(self) -> Self:
        """Start, on the same ports after a stop."""
        binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert binary is not None, "nginx is missing: install what .ci/run installs"
        self.ports = self.ports or {site: free_port() for site in self.sites}
        config = self.folder / "nginx.conf"
        config.write_text(self._config())
        self._log.touch()
        self._process = subprocess.Popen(
            [binary, "-p", self.folder, "-c", config, "-e", self.folder / "error.log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, f"answer from nginx, see {self.folder / 'error.log'}")
        return self

    def stop(self) -> None:
        """Stop at once; connections are refused from then on."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def requests(self) -> list[Logged]:
        """Every request that was finished before this call, oldest first."""
        # A request of our own closes the list: the only worker logs in the order of finishing.
        self._fences += 1
        fence = f"/-/fence/{self._fences}"
        site = next(iter(self.sites))
        with urllib.request.urlopen(self.url(site) + fence):
            pass
        until(lambda: fence in self._log.read_text(), "fence in the access log")
        return [
            Logged(site, method, path, int(status), int(sent))
            for site, method, path, status, sent in map(
                str.split, self._log.read_text().splitlines()
            )
            if not path.startswith("/-/")
        ]

    @property
    def _log(self) -> Path:
        return self.folder / "access.log"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "error.log").read_text()
        try:
            with urllib.request.urlopen(self.url(next(iter(self.sites))) + "/-/fence/0"):
                return True
        except OSError:
            return False

    def _config(self) -> str:
        temporary = "".join(
            f"  {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # Workers of a root master would give up root and could not read a test's folders.
        user = "user root;\n" if os.geteuid() == 0 else ""
        servers = "".join(
            f"  server {{\n    listen 127.0.0.1:{port};\n    root {self.sites[site]};\n"
            f"    set $site {site};\n    limit_rate {self.rates.get(site, 0)};\n"
            "    location /-/fence/ { return 204; }\n  }\n"
            for site, port in self.ports.items()
        )
        return (
            f"daemon off;\n{user}worker_processes 1;\npid {self.folder}/nginx.pid;\n"
            "events { worker_connections 1024; }\n"
            "http {\n  sendfile on;\n  etag on;\n  keepalive_timeout 65;\n"
            '  log_format line "$site $request_method $uri $status $body_bytes_sent";\n'
            f"  access_log {self._log} line;\n{temporary}{servers}}}\n"
        )

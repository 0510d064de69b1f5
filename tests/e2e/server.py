"""The bundled server as a subprocess."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field, frozen

from tests.e2e import marked
from tests.e2e.processes import family, free_port, until

Setting = str | int | float | bool | list[str]


@frozen
class Upstream:
    """One ``[[upstream]]`` table. ``settings`` are further keys of it."""

    name: str
    url: str
    settings: Mapping[str, Setting] = field(factory=dict)


@define
class Server:
    """One registry, ``main`` with id 1, over ``upstreams``. Not thread-safe."""

    folder: Path
    """Holds ``server.toml``, ``data/`` and the log; kept over restarts."""
    upstreams: Sequence[Upstream]
    """Best position first."""
    port: int = field(factory=free_port)
    format: str = "maven"
    settings: Mapping[str, Setting] = field(factory=dict)
    """Further keys of the registry's table."""
    also: Mapping[str, Mapping[str, Setting]] = field(factory=dict)
    """Further registries, over the same upstreams unless they name others: keys of their tables by
    name."""
    tables: Mapping[str, Mapping[str, Setting]] = field(factory=dict)
    """Further tables by name, such as ``access``; everybody may pull without that one."""
    storage: Mapping[str, Setting] = field(factory=dict)
    """Further keys of its table."""
    environment: Mapping[str, str] = field(factory=dict)
    """What it finds in its environment, besides what is in ours."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def config(self) -> Path:
        return self.folder / "server.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def maven(self) -> str:
        """Base URL in the short form, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}/maven/main"

    @property
    def gitlab(self) -> str:
        """Base URL in the compatible form, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}/api/v4/virtual_registries/packages/maven/1"

    @property
    def host(self) -> str:
        """As image names begin with it."""
        return f"127.0.0.1:{self.port}"

    @property
    def images(self) -> str:
        """What the names of a container registry's images begin with."""
        return f"{self.host}/main"

    def start(self) -> None:
        """Start and wait until it says it is ready."""
        assert self._process is None
        self.folder.mkdir(parents=True, exist_ok=True)
        marked.watch(self.folder)
        marked.told_environment({**os.environ, **self.environment})
        self.config.write_text(self._config())
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "virtreg", "serve", str(self.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        try:
            until(self._ready, f"ready server, see {self.log}")
        except BaseException:
            self.kill()
            raise

    def terminate(self) -> None:
        """Ask it to stop, without waiting."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 60) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._process = None
        return code

    def stop(self) -> None:
        """Stop gracefully, with nothing secret shown in the list of processes; does nothing when
        it is not running."""
        if self._process is not None:
            shown = marked.found_in_processes(self.pids())
            self.terminate()
            code = self.wait()
            assert code == 0, f"exit code {code}:\n{self.log.read_text()}"
            assert shown == []

    def kill(self) -> None:
        """SIGKILL to every process of the server, as a power cut would."""
        assert self._process is not None
        for pid in family(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def pids(self) -> list[int]:
        """The server's processes, the one that was started first."""
        assert self._process is not None
        return family(self._process.pid)

    def spooled(self) -> list[Path]:
        """Files of downloads that are running, or were left behind."""
        # A lock is no download: the running server holds one to show that it lives.
        return [
            path
            for path in (self.data / "spool").rglob("*")
            if path.is_file() and path.suffix != ".lock"
        ]

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready") as answer:
                return bool(answer.status == 200)
        except (urllib.error.HTTPError, OSError):
            return False

    def _config(self) -> str:
        lines = ["[server]", 'host = "127.0.0.1"', f"port = {self.port}", "access_log = false"]
        lines += ["[storage]", 'path = "data"', *_keys(self.storage)]
        for upstream in self.upstreams:
            lines += ["[[upstream]]", f'name = "{upstream.name}"', f'url = "{upstream.url}"']
            lines += _keys({"allow_private": ["127.0.0.0/8"], **upstream.settings})
        listed = [upstream.name for upstream in self.upstreams]
        for number, (name, settings) in enumerate({"main": self.settings, **self.also}.items(), 1):
            lines += ["[[registry]]", f"id = {number}", f'name = "{name}"']
            lines += _keys({"format": self.format, "upstreams": listed, **settings})
        for name, settings in self.tables.items():
            lines += [f"[{name}]", *_keys(settings)]
        return "\n".join(lines) + "\n"


def _keys(table: Mapping[str, Setting]) -> list[str]:
    # JSON's strings, numbers and lists are TOML's as well.
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]

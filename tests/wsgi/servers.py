"""The application under the WSGI servers people run, each as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.processes import end, free_port, until
from tests.wsgi.doors import Connected

_ROOT = Path(__file__).parents[2]

SERVERS = {
    "granian": ["--interface", "wsgi", "--blocking-threads", "8", "--host", "127.0.0.1", "--port"],
    "gunicorn": ["--worker-class", "gthread", "--threads", "8", "--bind"],
    "waitress": ["--threads", "8", "--listen"],
    "tests.wsgi.plain": [],
}
"""Modules with their options; the last is the server of the standard library."""

DEVELOPMENT = "tests.wsgi.development"
"""Hands on a path that is not UTF-8 as if it were, and does the rest as the others."""


@contextmanager
def running(name: str, folder: Path, config: str, app: str = "app") -> Iterator[Connected]:
    """One of :data:`SERVERS`, or :data:`DEVELOPMENT`, ready, with this configuration and its data
    in ``folder``. ``app`` is a name in :mod:`tests.wsgi.servable`."""
    file = folder / "virtreg.toml"
    file.write_text(config)
    port = free_port()
    address = f"127.0.0.1:{port}" if name in ("gunicorn", "waitress") else str(port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                name,
                *SERVERS.get(name, ()),
                address,
                f"tests.wsgi.servable:{app}",
            ],
            cwd=_ROOT,
            env={**os.environ, "VIRTREG_CONFIG": str(file)},
            stdout=log,
            stderr=log,
        )
    door = Connected(port, "")
    try:
        until(lambda: _is_ready(process, door), f"ready {name}, see {folder / 'log'}")
        yield door
    finally:
        end(process)


def _is_ready(process: subprocess.Popen[bytes], door: Connected) -> bool:
    assert process.poll() is None
    try:
        return door.ask("GET", "/-/ready").status == 200
    except OSError:
        return False

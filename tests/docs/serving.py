"""A server as the pages about images speak of it, over a registry that stands for Docker Hub."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.docs.running import ROOT
from tests.e2e.processes import end, free_port, until

PLACE = "127.0.0.1:8081"
"""Where servers are on the pages."""

_CONFIGURATION = """
[server]
access_log = false

[storage]
path = "{data}"

[[upstream]]
name = "docker-hub"
url = "{url}"
default_namespace = "library"
allow_private = ["127.0.0.0/8"]
cache_validity_hours = {hours}

[[registry]]
name = "hub"
format = "container"
upstreams = ["docker-hub"]
namespaces = ["docker.io"]
default = true

[[registry]]
name = "images"
format = "container"
upstreams = ["docker-hub"]
"""


@frozen
class Place:
    """A running server, and the folder of its ``server.toml``."""

    folder: Path
    host: str

    def here(self, text: str) -> str:
        """A text of a page with this server in place of the page's."""
        return text.replace(PLACE, self.host)


def configure(folder: Path, url: str, *, hours: float = 24) -> None:
    """Write ``server.toml`` over the registry at ``url``."""
    text = _CONFIGURATION.format(data=folder / "virtreg-data", url=url, hours=hours)
    (folder / "server.toml").write_text(text)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Place]:
    """``virtreg serve`` of the folder's ``server.toml``."""
    port = free_port()
    command = [sys.executable, "-m", "virtreg", "serve", str(folder / "server.toml")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), *options], stdout=log, stderr=log, cwd=folder
        )
    try:

        def ready() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready") as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        until(ready, f"ready server, see {folder / 'log'}")
        yield Place(folder, f"127.0.0.1:{port}")
    finally:
        assert end(process) == 0, (folder / "log").read_text()


def blocks(page: str, language: str) -> Sequence[str]:
    """The snippets of one language on a page below ``docs/``."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(page: str, program: str) -> list[str]:
    """The lines of a page that run a program against the server of the pages."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [line for line in lines if line.split()[0] == program and PLACE in line]

"""A server of the smallest application, run as its own process: ``python -m`` this."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from attrs import evolve

from virtreg.cli.launch import Launch
from virtreg.cli.serving import run
from virtreg.config import Config
from virtreg.errors import StorageError


class Slow:
    """A body that ends when somebody has written into the pipe ``gate``, and fails without one."""

    def __init__(self, gate: Path) -> None:
        self._gate = gate

    def __iter__(self) -> Iterator[bytes]:
        yield b"begin\n"
        yield self._gate.read_bytes()

    def close(self) -> None:
        pass


class Small:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._requests = 0

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._requests += 1
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Pid", str(os.getpid()))])
        return [b"hello\n"] if environ["PATH_INFO"] == "/" else Slow(self._folder / "gate")

    def stats(self) -> Mapping[str, int]:
        return {"requests": self._requests}

    def close(self) -> None:
        (self._folder / "closed").write_text(str(self._requests))


def build(config: Config) -> Small:
    if config.storage.path.name == "wrong":
        raise RuntimeError("nobody thought of that")
    if not config.storage.path.is_dir():
        raise StorageError(f"no folder {config.storage.path.name}")
    return Small(config.storage.path)


if __name__ == "__main__":
    launch = Launch(port=0, data=Path(sys.argv[1]))
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.exit(run(evolve(launch.config().server, workers=workers), launch, build))

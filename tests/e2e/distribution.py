"""Debian's docker-registry (CNCF distribution 2.8), the upstream of the image tests."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from attrs import define, field, frozen

from tests.e2e import marked
from tests.e2e.images import Blob, Image, Manifest
from tests.e2e.processes import Started, end, free_port, until

LOGIN = ("reader", marked.SECRETS.told("login of a registry", "correct horse"))
"""Whom a guarded registry lets in."""

# The registry takes bcrypt alone.
_HTPASSWD = "reader:$2b$04$vgWvpjDin0cR/x3ZLRDUf.WQcA.8eK4cTCOqVNNS.X06wsTSHUqY6\n"

_LINE = re.compile(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/[\d.]+" (\d{3}) ')


@frozen
class Seen:
    """One request of the access log."""

    method: str
    path: str
    """Decoded, without its query."""
    status: int


@define
class Distribution(Started):
    """Serves the images below ``storage``; several processes may serve the same ones. Not
    thread-safe."""

    folder: Path
    """Holds the configuration and the logs."""
    storage: Path
    auth: Mapping[str, Mapping[str, str]] = field(factory=dict)
    """The ``auth`` section of its configuration; nobody has to log in without one."""
    port: int = field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _fences: int = field(default=0, init=False)

    @property
    def host(self) -> str:
        """As image names begin with it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"http://{self.host}"

    def start(self) -> Self:
        """Start, on the same port after a stop, with the log going on."""
        binary = shutil.which("docker-registry")
        assert binary is not None, "docker-registry is missing: install what .ci/run installs"
        self.folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        config = self.folder / "config.yml"
        config.write_text(json.dumps(self._config()))
        with self._log.open("ab") as log, (self.folder / "error.log").open("ab") as errors:
            self._process = subprocess.Popen(
                [binary, "serve", str(config)], stdout=log, stderr=errors
            )
        try:
            until(self._answers, f"answer from docker-registry, see {self.folder}")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop at once; connections are refused from then on."""
        if self._process is not None:
            self._process.kill()
            end(self._process)
            self._process = None

    def push(self, image: Image) -> None:
        """Upload an image (OCI distribution specification, pushing), to a registry without
        ``auth``."""
        for part in image.blobs:
            self._upload(image.name, part)
        for manifest in image.manifests[:-1]:
            self._put(image.name, manifest.digest, manifest)
        self._put(image.name, image.tag, image.top)

    def requests(self) -> list[Seen]:
        """Every request for an image's part that was finished before this call, oldest first."""
        # A request of our own closes the list: a line is written when its answer is finished.
        self._fences += 1
        fence = f"/v2/fence/{self._fences}"
        self._exchange("GET", fence)
        until(lambda: f" {fence} " in self._log.read_text(), "fence in the access log")
        seen = (
            Seen(method, unquote(path.partition("?")[0]), int(status))
            for method, path, status in _LINE.findall(self._log.read_text())
        )
        return [
            request
            for request in seen
            if request.path != "/v2/" and not request.path.startswith("/v2/fence/")
        ]

    def sent(self, image: Image) -> list[str]:
        """Digests of an image's parts in order, each as often as a GET brought it."""
        start = f"/v2/{image.name}/"
        references = [
            request.path.rpartition("/")[2]
            for request in self.requests()
            if (request.method, request.status) == ("GET", 200) and request.path.startswith(start)
        ]
        return sorted(image.digest if one == image.tag else one for one in references)

    @property
    def _log(self) -> Path:
        return self.folder / "access.log"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "error.log").read_text()
        try:
            return self._exchange("GET", "/v2/")[0] in {200, 401}
        except OSError:
            return False

    def _upload(self, name: str, part: Blob) -> None:
        status, headers = self._exchange("POST", f"/v2/{name}/blobs/uploads/")
        assert status == 202, f"{status} for the upload of {part}"
        place = headers["location"].removeprefix(self.url)
        target = f"{place}&digest={part.digest}"
        if isinstance(part.source, bytes):
            status, _ = self._exchange("PUT", target, part.source)
        else:
            with part.source.open("rb") as file:
                status, _ = self._exchange("PUT", target, file, {"Content-Length": str(part.size)})
        assert status == 201, f"{status} for {part}"

    def _put(self, name: str, reference: str, manifest: Manifest) -> None:
        kind = {"Content-Type": manifest.media_type}
        status, headers = self._exchange(
            "PUT", f"/v2/{name}/manifests/{reference}", manifest.body, kind
        )
        assert status == 201, f"{status} for {name}, {manifest}"
        assert headers["docker-content-digest"] == manifest.digest

    def _exchange(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            response.read()
            return response.status, {key.lower(): value for key, value in response.getheaders()}
        finally:
            connection.close()

    def _config(self) -> dict[str, Any]:
        return {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self.storage)}},
            "http": {"addr": self.host, "secret": "only for uploads"},
            **({"auth": self.auth} if self.auth else {}),
        }


def guarded(folder: Path, storage: Path) -> Distribution:
    """A registry that wants :data:`LOGIN`, by HTTP Basic."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "htpasswd"
    passwords.write_text(_HTPASSWD)
    return Distribution(folder, storage, {"htpasswd": {"realm": "readers", "path": str(passwords)}})

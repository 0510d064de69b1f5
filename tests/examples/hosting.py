"""Examples that serve, as programs of their own, over upstreams of the test's."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

from attrs import frozen

from tests.e2e.processes import end, free_port, until
from virtreg.testing.origin import Origin

EXAMPLES = Path(__file__).parents[2] / "examples"
POM = "org/example/thing/1.0/thing-1.0.pom"
MANIFEST = json.dumps(
    {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}
).encode()
_CONFIGURATION = """
[server]
access_log = false

[storage]
path = "data"

[[upstream]]
name = "files"
url = "{url}"
allow_private = ["127.0.0.0/8"]

[[upstream]]
name = "images"
url = "{url}"
allow_private = ["127.0.0.0/8"]

[[registry]]
name = "main"
format = "maven"
upstreams = ["files"]

[[registry]]
name = "images"
format = "container"
upstreams = ["images"]
"""


@frozen
class Answer:
    status: int
    headers: Message
    body: bytes


def basic(user: str, password: str) -> dict[str, str]:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


@frozen
class Host:
    """A running example."""

    url: str

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._send(path, None, headers or {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return self._send(path, body, headers or {})

    def pom(self, headers: Mapping[str, str] | None = None) -> int:
        """The status of a file of Maven's; what a 200 brings is checked."""
        answer = self.get(f"/maven/main/{POM}", headers)
        assert answer.status != 200 or answer.body == b"<project/>"
        return answer.status

    def pull(self, headers: Mapping[str, str] | None = None) -> int:
        """Pull an image as Docker does: be challenged, show ``headers`` to the token service alone,
        and the token to the registry. The status of the first step that is no success."""
        ping = self.get("/v2/")
        assert ping.status == 401
        told = dict(re.findall(r'(\w+)="([^"]*)"', ping.headers["WWW-Authenticate"]))
        assert ping.headers["WWW-Authenticate"].startswith("Bearer ")
        assert told["realm"].startswith(f"{self.url}/")
        realm = told["realm"].removeprefix(self.url)
        query = f"service={told['service']}&scope=repository:images/app:pull"
        granted = self.get(f"{realm}?{query}", headers)
        if granted.status != 200:
            return granted.status
        token = {"Authorization": f"Bearer {json.loads(granted.body)['token']}"}
        manifest = self.get("/v2/images/app/manifests/latest", token)
        assert manifest.status != 200 or manifest.body == MANIFEST
        return manifest.status

    def _send(self, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        request = urllib.request.Request(self.url + path, body, dict(headers))
        opener = urllib.request.build_opener(_Unredirected)
        try:
            with opener.open(request, timeout=60) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())


class _Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@contextmanager
def hosted(
    folder: Path, example: str, arguments: Sequence[str] = (), **settings: str
) -> Iterator[Host]:
    """The example with ``settings`` in its environment, over an upstream of its own."""
    with Origin({POM: b"<project/>"}) as origin:
        kind = json.loads(MANIFEST)["mediaType"]
        origin.put("v2/app/manifests/latest", MANIFEST, headers={"Content-Type": kind})
        (folder / "server.toml").write_text(_CONFIGURATION.format(url=origin.url))
        host = Host(f"http://127.0.0.1:{free_port()}")
        environment = {
            **os.environ,
            "VIRTREG_CONFIG": str(folder / "server.toml"),
            "PORT": host.url.rpartition(":")[2],
            **settings,
        }
        command = [sys.executable, str(EXAMPLES / example), *arguments]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            until(lambda: _answers(process, host, folder), f"answer, see {folder / 'log'}")
            yield host
        finally:
            end(process)


def _answers(process: subprocess.Popen[bytes], host: Host, folder: Path) -> bool:
    assert process.poll() is None, (folder / "log").read_text()
    try:
        return host.get("/-/ready").status == 200
    except OSError:
        return False

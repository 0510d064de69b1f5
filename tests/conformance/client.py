"""What a client of the running server is told."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from tests.e2e.images import Image
from tests.wsgi.answers import Answer
from tests.wsgi.doors import NOTHING, Connected
from virtreg.testing.origin import Origin

CODES = frozenset(
    {
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "SIZE_INVALID",
        "UNAUTHORIZED",
        "DENIED",
        "UNSUPPORTED",
        "TOOMANYREQUESTS",
    }
)
"""Of the specification's table; no other may be told with a 4xx."""


@frozen
class Client:
    """Asks for paths below one URL of a registry. ``warm``: what a test is about is in the cache
    before the test asks."""

    door: Connected
    origin: Origin
    """The registry's only upstream."""
    base: str
    warm: bool

    def ask(self, method: str, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
        return self.door.ask(method, self.base + path, headers)

    def get(self, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
        return self.ask("GET", path, headers)

    def head(self, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
        return self.ask("HEAD", path, headers)

    def prepare(self, *paths: str) -> None:
        """Where this client is warm, have these paths cached."""
        if self.warm:
            for path in paths:
                while (answer := self.get(path)).origin != "hit":
                    assert answer.status == 200, answer

    def prepare_image(self, image: Image) -> None:
        blobs = [f"{image.name}/blobs/{blob.digest}" for blob in image.blobs]
        digests = [f"{image.name}/manifests/{one.digest}" for one in image.manifests]
        self.prepare(f"{image.name}/manifests/{image.tag}", *digests, *blobs)

    def refused(self, path: str) -> tuple[int, str]:
        """Status and code of an error. Where warm, it was told before."""
        if self.warm:
            self.get(path)
        answer = self.get(path)
        # The very first answer says what the upstream said, later ones that it is remembered.
        again, without = self.get(path), self.head(path)
        assert (without.status, without.ours, without.body) == (again.status, again.ours, b"")
        assert (again.status, error_code(again)) == (answer.status, error_code(answer))
        return answer.status, error_code(answer)

    def lines(self, path: str, headers: Sequence[tuple[str, str]]) -> Answer:
        """GET with header lines exactly as given: a name may come several times, or not at all."""
        connection = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=60)
        try:
            connection.putrequest("GET", self.base + path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            with connection.getresponse() as response:
                return Answer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()


def error_code(answer: Answer) -> str:
    """The code of an error, whose form is checked (Error Codes)."""
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Length"] == str(len(answer.body))
    told: dict[str, Any] = json.loads(answer.body)
    assert list(told) == ["errors"]
    (error,) = told["errors"]
    assert set(error) <= {"code", "message", "detail"}
    assert error["message"]
    code: str = error["code"]
    assert code in CODES or answer.status >= 500, code
    assert code.replace("_", "").isalpha()
    assert code.isupper()
    return code

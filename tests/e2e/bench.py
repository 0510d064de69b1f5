"""One server with a registry of its own for every fault, each over an origin of its own: what one
of them does to its upstream's health is nothing to the others."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from attrs import define, field

from tests.e2e import marked
from tests.e2e.server import Server, Setting
from tests.e2e.transfer import Transfer
from virtreg.testing.origin import Origin

USERNAME = "reader"
SECRET = marked.SECRETS.told("login of a bench", "marked-secret-5b1d7c")
BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode()

PATIENT = {"read_timeout": 20, "connect_timeout": 1, "allow_private": ["127.0.0.0/8"]}
HASTY: Mapping[str, Setting] = {"read_timeout": 1}
"""For upstreams that are silent; a busy machine makes others look so, too."""


@define
class Bench(Server):
    """``slots`` are settings of upstreams by name; each has a registry and an :class:`Origin` of
    its name. ``groups`` are further registries, over several slots each. An upstream whose
    settings have ``login`` is told the secret."""

    slots: Mapping[str, Mapping[str, Setting]] = field(factory=dict)
    groups: Mapping[str, Sequence[str]] = field(factory=dict)
    origins: dict[str, Origin] = field(factory=dict, init=False)
    marks: list[str] = field(factory=lambda: [SECRET, BASIC.removeprefix("Basic ")], init=False)
    """What must not be in the log or the data folder at the end."""
    _stack: ExitStack = field(factory=ExitStack, init=False)

    def open(self) -> None:
        for slot in self.slots:
            self.origins[slot] = self._stack.enter_context(Origin())
        (self.folder / "password").write_text(SECRET)
        self.start()

    def close(self) -> None:
        """Stops gracefully, and fails when the secret lies anywhere."""
        try:
            self.stop()
        finally:
            self._stack.close()
        assert leaks(self.marks, [self.log.read_bytes()], self.data) == []

    def url(self, slot: str, path: str) -> str:
        return f"http://{self.host}/v2/{slot}/{path}"

    def _config(self) -> str:
        lines = ["[server]", 'host = "127.0.0.1"', f"port = {self.port}", "access_log = true"]
        lines += ["[storage]", 'path = "data"']
        for slot, settings in self.slots.items():
            table = {"name": slot, "url": self.origins[slot].url, **PATIENT, **settings}
            if table.pop("login", False):
                table |= {"username": USERNAME, "password": f"file:{self.folder}/password"}
            lines += ["[[upstream]]"]
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        registries = {**{slot: (slot,) for slot in self.slots}, **self.groups}
        for number, (name, upstreams) in enumerate(registries.items(), 1):
            lines += ["[[registry]]", f"id = {number}", f'name = "{name}"']
            lines += ['format = "container"', f"upstreams = {json.dumps(list(upstreams))}"]
        return "\n".join(lines) + "\n"


def error_of(answer: Transfer, status: int, code: str) -> str:
    """The message of an error body (OCI distribution-spec 1.1.1, "Error Codes")."""
    assert answer.status == status, (answer.status, answer.head)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    [error] = json.loads(answer.head)["errors"]
    assert error["code"] == code
    message: str = error["message"]
    return message


def head(url: str) -> dict[str, str]:
    """The headers of a HEAD that is answered 200, with lower-case names."""
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=60) as answer:
        assert answer.status == 200
        return {name.lower(): value for name, value in answer.headers.items()}


def leaks(marks: Sequence[str], texts: Iterable[bytes], folder: Path | None = None) -> list[str]:
    """Where a mark is found: in the texts, or in a file below the folder."""
    found = [text[:80].decode(errors="replace") for text in texts if _marked(marks, text)]
    below = () if folder is None else folder.rglob("*")
    files = (path for path in below if path.is_file())
    return found + [str(path) for path in files if _marked(marks, path.read_bytes())]


def proofs(origin: Origin, path: str = "") -> set[str]:
    """The credentials of every request for paths that begin so, empty for none."""
    return {
        seen.headers.get("authorization", "")
        for seen in origin.requests
        if seen.path.startswith(path)
    }


def _marked(marks: Sequence[str], text: bytes) -> bool:
    return any(mark.encode() in text for mark in marks)

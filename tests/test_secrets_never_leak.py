"""Marked secrets go through a real server by every way there is, and are found nowhere after."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import traceback
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from attrs import define, field

from tests.needles import Needles, command_lines, spellings
from virtreg import VirtregError, build, load
from virtreg.backends.vault import MasterKeys, Vault
from virtreg.model import Secret
from virtreg.testing.origin import Lock, Origin, Tokens, basic, bearer

FILE = "com/acme/app/1/app-1.jar"
MANIFEST = b'{"schemaVersion":2,"config":{},"layers":[]}'
UPSTREAMS = ("basic", "bearer", "header", "command", "vault", "wrong", "down", "signed")


@define
class Place:
    """A folder with a configuration over one origin, whose credentials are all marked."""

    folder: Path
    origin: Origin
    needles: Needles = field(factory=Needles)
    environ: dict[str, str] = field(factory=dict)
    tokens: Tokens | None = None

    @property
    def config(self) -> Path:
        return self.folder / "server.toml"

    @property
    def spared(self) -> list[Path]:
        """Where secrets are because their owner put them there."""
        return [self.folder / "password", self.folder / "printed", self.folder / "secret.key"]

    def prepare(self, *, access: bool) -> None:
        make = self.needles.make
        (self.folder / "password").write_text(make("password of a file"))
        printed = {"username": "robot", "password": make("password of a command")}
        (self.folder / "printed").write_text(json.dumps(printed))
        self.environ |= {
            "BEARER": make("bearer"),
            "HEADER": make("header"),
            "WRONG": make("wrong password"),
            "LOGIN": make("login of the token service"),
        }
        lines = [
            f"[access]\nenabled = {json.dumps(access)}",
            '[server]\nport = 0\naudit_log="audit"',
        ]
        lines.append('[storage]\npath = "data"')
        lines += [self._upstream(name) for name in (*UPSTREAMS, "images")]
        for name in UPSTREAMS:
            lines.append(f'[[registry]]\nname = "{name}"\nformat = "maven"\nupstreams = ["{name}"]')
        lines.append('[[registry]]\nname = "images"\nformat = "container"\nupstreams = ["images"]')
        self.config.write_text("\n".join(lines) + "\n")
        self._publish()

    def _upstream(self, name: str) -> str:
        url = "http://127.0.0.1:1/down" if name == "down" else f"{self.origin.url}/{name}"
        url = self.origin.url if name == "images" else url
        file, script = 'password = "file:password"', "import sys; print(open(sys.argv[1]).read())"
        command = json.dumps([sys.executable, "-c", script, str(self.folder / "printed")])
        robot = 'username = "robot"\n'
        said = {
            "basic": robot + file,
            "bearer": 'bearer = "env:BEARER"',
            "header": 'headers = { Private-Token = "env:HEADER" }',
            "command": f"credential_command = {command}",
            "vault": robot + 'password = "vault:nexus"',
            "wrong": robot + 'password = "env:WRONG"',
            "down": robot + file,
            "signed": robot + file,
            "images": robot + 'password = "env:LOGIN"',
        }[name]
        allowed = 'allow_private = ["127.0.0.0/8"]'
        return f'[[upstream]]\nname = "{name}"\nurl = "{url}"\n{allowed}\n{said}'

    def _publish(self) -> None:
        known, put = self.needles.known, self.origin.put
        secret = self.needles.make("password of the vault")
        wanted = {
            "basic": basic("robot", known["password of a file"]),
            "bearer": bearer(known["bearer"]),
            "header": ("Private-Token", known["header"]),
            "command": basic("robot", known["password of a command"]),
            "vault": basic("robot", secret),
            "wrong": basic("robot", "another"),
        }
        for name, proof in wanted.items():
            put(f"{name}/{FILE}", b"PK" + name.encode(), require=proof)
        signature = self.needles.make("signature in a redirect")
        put(f"signed/{FILE}", redirect=f"http://169.254.169.254/latest?X-Signature={signature}")
        self.tokens = Tokens(login=("robot", known["login of the token service"]))
        put("token", mint=self.tokens)
        lock = Lock(self.tokens, f"{self.origin.url}/token", "repository:app:pull")
        put("v2/app/manifests/1", MANIFEST, lock=lock)

    def told_by_the_origin(self) -> None:
        """What the token service gave out is secret as well."""
        assert self.tokens is not None
        assert self.tokens.issued
        for place, issued in enumerate(self.tokens.issued):
            self.needles.told(f"upstream token {place}", issued.text)

    def run(self, *arguments: str, said: str = "") -> tuple[str, str]:
        """Run the command on the configuration: what it prints, and what it says besides."""
        command = [sys.executable, "-m", "virtreg", *arguments, "--config", str(self.config)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | self.environ,
        ) as process:
            # It waits for what it is told: now it is in the list.
            seen = command_lines()
            out, err = process.communicate(said, timeout=60)
        assert process.returncode == 0, err
        assert self.needles.found("list of processes", seen) == []
        return out, err


@define
class Server:
    """A running one, and all it said."""

    url: str
    said: list[str]
    heard: list[tuple[str, int, bytes]] = field(factory=list)

    def get(self, path: str, headers: Mapping[str, str] = MappingProxyType({})) -> int:
        request = urllib.request.Request(f"{self.url}{path}", headers=dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, shown, body = answer.status, str(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, shown, body = error.code, str(error.headers), error.read()
        self.heard.append((path, status, shown.encode() + body))
        return int(status)


@contextmanager
def _serving(place: Place) -> Iterator[Server]:
    said: list[str] = []
    command = [sys.executable, "-m", "virtreg", "serve", str(place.config)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | place.environ,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith("Listening on "):
                    break
            else:
                raise AssertionError("".join(said))
            reader = threading.Thread(target=said.extend, args=(process.stdout,))
            reader.start()
            yield Server(line.removeprefix("Listening on ").strip(), said)
            process.terminate()
            reader.join()
            assert process.wait(60) == 0, "".join(said)
        finally:
            process.kill()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Origin() as origin:
        yield Place(tmp_path, origin)


def _basic(user: str, password: str) -> dict[str, str]:
    return dict([basic(user, password)])


def test_no_secret_of_an_upstream_or_a_caller_is_found_anywhere(place: Place) -> None:
    place.prepare(access=True)
    needles = place.needles
    kept = place.run("secrets", "set", "nexus", said=needles.known["password of the vault"])
    for command in ("user add ann", "group add default", "member set default ann developer"):
        place.run(*command.split())
    created = place.run("token", "create", "--kind", "personal", "--user", "ann")
    token = needles.told("token", created[0].strip())
    needles.told("master key", (place.folder / "secret.key").read_text().strip())
    wrong = needles.make("credentials that nobody is known by")
    ann = _basic("ann", token)
    with _serving(place) as server:
        good = {name: server.get(f"/maven/{name}/{FILE}", ann) for name in UPSTREAMS}
        grant, refresh = _grants(server, ann)
        needles.told("grant", grant)
        needles.told("refresh token", refresh)
        tried = [
            server.get("/v2/images/app/manifests/1", {"Authorization": f"Bearer {grant}"}),
            server.get("/v2/images/app/manifests/2", {"Authorization": f"Bearer {grant}"}),
            server.get("/v2/images/other/manifests/1", {"Authorization": f"Bearer {grant}"}),
            server.get("/v2/images/app/manifests/1", {"Authorization": f"Bearer {grant}x"}),
            server.get(f"/maven/basic/{FILE}", {"Private-Token": token}),
            server.get(f"/maven/basic/{FILE}", {"Private-Token": wrong}),
            server.get(f"/maven/basic/{FILE}", {"Authorization": f"Bearer {wrong}"}),
            server.get(f"/maven/basic/{FILE}", {"Authorization": f"{wrong} {wrong}"}),
            server.get(f"/maven/basic/{FILE}", _basic("ann", wrong)),
            server.get(f"/maven/basic/{FILE}", _basic(wrong, token)),
            server.get(f"/maven/basic/{FILE}?private_token={wrong}"),
            server.get("/jwt/auth?service=virtreg", _basic("ann", wrong)),
            server.get(f"/jwt/auth?password={wrong}&scope={wrong}"),
        ]
        listed = command_lines()
    place.told_by_the_origin()

    fine = {"basic", "bearer", "header", "command", "vault"}
    assert {name for name, status in good.items() if status == 200} == fine
    assert {good[name] for name in UPSTREAMS if name not in fine} == {502}
    assert tried[0] == 200
    assert tried[3:11] == [401, 200, *[401] * 6]
    said = "".join(server.said)
    assert '"event": "SignInFailed"' in (place.folder / "audit").read_text()
    assert "signed" in said
    assert "wrong" in said

    found = needles.found("list of processes", listed)
    found += needles.found("output", said.encode())
    found += needles.found("command", "".join(kept).encode())
    found += needles.found_below(place.folder, place.spared)
    for path, status, answer in server.heard:
        found += needles.found(f"answer {status} to {path}", answer)
    assert found == []


def _grants(server: Server, login: Mapping[str, str]) -> tuple[str, str]:
    """An access token and a refresh token; the answer that holds them is not kept."""
    asked = "service=virtreg&scope=repository:images/app:pull&offline_token=true"
    assert server.get(f"/jwt/auth?{asked}", login) == 200
    _, _, answer = server.heard.pop()
    told = json.loads(answer[answer.index(b"{") :])
    return told["token"], told["refresh_token"]


def test_no_traceback_and_no_repr_shows_a_secret(place: Place) -> None:
    place.prepare(access=False)
    vault = Vault(place.folder / "data", MasterKeys.found({}, place.folder))
    vault.set("nexus", Secret(place.needles.known["password of the vault"]))
    config = load(place.config, place.environ)
    shown = [repr(config), str(config), repr(vault)]
    with build(config) as assembly:
        shown += [repr(assembly), *map(repr, assembly.upstreams)]
        for name, registry in assembly.registries.items():
            path = "app/manifests/2" if name == "images" else FILE
            try:
                registry.resolve(registry.format.route(path)).body.close()
            except VirtregError as error:
                shown += traceback.format_exception(error)
                shown.append(repr(error) + repr(vars(error)))
    failed = [text for text in shown if text.startswith("virtreg.errors.")]
    assert len(failed) >= 3
    assert place.needles.found("text", "\n".join(shown).encode()) == []


def test_a_configuration_that_is_wrong_quotes_no_secret(place: Place) -> None:
    place.prepare(access=False)
    secret = place.needles.known["bearer"]
    text = place.config.read_text()
    place.config.write_text(text.replace('"env:BEARER"', json.dumps(secret)))
    with pytest.raises(VirtregError) as caught:
        load(place.config, place.environ | {"HEADER": f"{secret}\n"})
    said = "".join(traceback.format_exception(caught.value))
    assert "upstream[2].bearer: must not stand in the file" in said
    assert "upstream[3].headers.Private-Token" in said
    assert place.needles.found("error", said.encode()) == []


@pytest.mark.parametrize("before", ["", "a", "ab", "robot:"])
@pytest.mark.parametrize("after", ["", "c", "cd"])
def test_a_secret_would_be_found_in_every_spelling(before: str, after: str) -> None:
    needles = Needles()
    secret = needles.make("secret")
    text = f"{before}{secret}{after}".encode()
    for spelled in (text, base64.b64encode(text), base64.urlsafe_b64encode(text)):
        assert needles.found("here", b"x" + spelled + b"y") == ["here: secret"]
    assert needles.found("here", b"".join(spellings("another secret"))) == []

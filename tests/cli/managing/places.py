"""A running server, and the command that manages it: where its data is, and from elsewhere."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen
from click.testing import CliRunner, Result

from tests.docs.serving import serving
from virtreg.cli.commands import virtreg
from virtreg.testing.origin import Origin

JAR = "org/example/thing/1.0/thing-1.0.jar"
POM = "org/example/thing/1.0/thing-1.0.pom"
BODIES = {JAR: b"PK a jar", POM: b"<project>a pom</project>"}

_CONFIGURATION = """
[server]
access_log = false
audit_log = "audit"

[access]
enabled = true

[limits]
requests = 0

[management]
allow_private = ["127.0.0.0/8"]

[[upstream]]
name = "files"
url = "{url}"
allow_private = ["127.0.0.0/8"]

[[registry]]
name = "main"
format = "maven"
upstreams = ["files"]
public = true
"""

_numbers = itertools.count(1)


@frozen
class Command:
    """The program as somebody runs it."""

    place: tuple[str, ...]
    """The options that say which server."""
    group: str
    environ: Mapping[str, str]
    origin: Origin
    here: bool
    """Whether it runs where the data is."""
    folder: Path

    @property
    def bare(self) -> Command:
        """Without the options that say which server."""
        return evolve(self, place=())

    def __call__(self, *words: str | int, stdin: str = "") -> Result:
        arguments = [*map(str, words), *self.place]
        environ = {**self.environ, "VIRTREG_GROUP": self.group}
        return CliRunner().invoke(virtreg, arguments, input=stdin, env=environ)

    def done(self, *words: str | int, stdin: str = "") -> str:
        """What it prints, when it ends well."""
        result = self(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str | int) -> Any:
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str | int, stdin: str = "", code: int = 1) -> str:
        """What it says, when it does not."""
        result = self(*words, stdin=stdin)
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        return result.stderr


@frozen
class Served:
    """A running server over an origin, with an administrator's token."""

    folder: Path
    url: str
    origin: Origin
    token: str = field(repr=False)

    @property
    def file(self) -> Path:
        return self.folder / "server.toml"

    def command(self, *, here: bool) -> Command:
        """In a group that nobody has used."""
        group = f"group-{next(_numbers)}"
        local("group", "add", group, "--config", str(self.file))
        place = ("--config", str(self.file)) if here else ("--server", self.url)
        environ = {"VIRTREG_TOKEN": self.token}
        return Command(place, group, environ, self.origin, here, self.folder)

    def pull(self, registry: int | str, path: str) -> bytes:
        """As a client does."""
        asked = urllib.request.Request(
            f"{self.url}/api/v4/virtual_registries/packages/maven/{registry}/{path}",
            headers={"Private-Token": self.token},
        )
        with urllib.request.urlopen(asked) as answer:
            body: bytes = answer.read()
        return body


def local(*arguments: str) -> str:
    result = CliRunner().invoke(virtreg, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    with Origin() as origin:
        for path, body in BODIES.items():
            origin.put(path, body)
        file = folder / "server.toml"
        file.write_text(_CONFIGURATION.format(url=origin.url))
        where = ("--config", str(file))
        local("user", "add", "root", "--administrator", *where)
        words = ("token", "create", "--kind", "personal", "--user", "root", "--scopes", "api")
        token = local(*words, *where)
        with serving(folder) as place:
            yield Served(folder, f"http://{place.host}", origin, token)

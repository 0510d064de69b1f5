"""What it means for a snippet of each language to work."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import gunicorn.config  # type: ignore[import-untyped]
import waitress.adjustments  # type: ignore[import-untyped]
from sybil import Example
from sybil.parsers.markdown import CodeBlockParser

from tests.docs import engines
from virtreg.backends.vault import MasterKeys, Vault
from virtreg.cli.commands import virtreg
from virtreg.config import Config, load
from virtreg.model import RegistrySpec, Secret
from virtreg.snippets import snippets

ROOT = Path(__file__).parents[2]

_UPSTREAM = '[[upstream]]\nname = "central"\nurl = "https://repo1.maven.org/maven2"\n'
_OTHERS = {"curl", "export", "mvn", "pip", "rsync", "sudo", "uwsgi", "xargs"} | {
    *("/kaniko/executor", "buildah", "cosign", "crane", "ctr", "docker", "helm", "nerdctl", "oras"),
    *("podman", "skopeo"),
    *("cp", "mv", "pg_dump", "pg_restore"),
}
"""Commands of others, which are read here. What images need of those that are installed is run by
:mod:`tests.docs.test_image_commands`."""


def configuration(text: str, folder: Path, kind: str = "maven") -> Config:
    """``text`` as a file, with the tables it leaves out, its secrets and its files made up.
    ``kind`` is the format of the registry, where it has none."""
    names = [table["name"] for table in tomllib.loads(text).get("upstream", [])]
    if not names:
        text += _UPSTREAM
    if "[[registry]]" not in text:
        listed = json.dumps(names or ["central"])
        text += f'\n[[registry]]\nname = "main"\nformat = "{kind}"\nupstreams = {listed}\n'
    for beside in re.findall(r'^ca_file = "(.+)"', text, re.MULTILINE):
        (folder / beside).touch()
    vault = Vault(folder / "virtreg-data", MasterKeys.found({}, folder))
    for name in re.findall(r'"vault:(\w+)"', text):
        vault.set(name, Secret("secret"))
    path = folder / "snippet.toml"
    path.write_text(text)
    environ = dict.fromkeys(re.findall(r'"env:(\w+)"', text), "secret://")
    databases = re.findall(r'^database = "env:(\w+)"', text, re.MULTILINE)
    environ |= dict.fromkeys(databases, "postgresql://")
    return load(path, environ)


def _toml(example: Example) -> None:
    text = example.parsed
    if engines.reads(tomllib.loads(text)):
        return
    for kind in ("maven", "container"):
        assert configuration(text, Path.cwd(), kind).registries


def _python(example: Example) -> None:
    code = compile("\n" * (example.line + 1) + example.parsed, example.path, "exec")
    example.namespace["__name__"] = "__main__"
    exec(code, example.namespace)


def _xml(example: Example) -> None:
    assert ElementTree.fromstring(example.parsed).tag == "settings"
    if "<mirror>" in example.parsed:
        _generated(example)


def _generated(example: Example) -> None:
    """What a page says to paste is what the program prints."""
    server = "http://127.0.0.1:8081"
    printed = {
        snippet.text
        for name in ("main", "central")
        for snippet in snippets(server, RegistrySpec(1, name, "maven", ()))
    }
    assert example.parsed in printed


def _json(example: Example) -> None:
    assert json.loads(example.parsed)


def _shell(example: Example) -> None:
    for line in example.parsed.replace("\\\n", "").splitlines():
        command, *arguments = shlex.split(line)
        if command in {"virtreg", ".venv/bin/virtreg"}:
            _parse(virtreg, arguments)
        elif command == "make":
            makefile = (ROOT / "Makefile").read_text()
            for argument in arguments:
                variable, assigned, _ = argument.partition("=")
                assert f"\n{variable} ?=" in makefile if assigned else f"\n{argument}:" in makefile
        elif command == "gunicorn":
            gunicorn.config.Config().parser().parse_args(arguments)
        elif command == "waitress-serve":
            waitress.adjustments.Adjustments.parse_args(arguments)
        else:
            assert command in _OTHERS, f"{command}: say here what it means that this works"


def _parse(command: click.Command, arguments: list[str]) -> None:
    """Read a command line as click does, without running it."""
    try:
        context = command.make_context(command.name, arguments)
    except click.exceptions.Exit:
        return  # --help and --version
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        _, chosen, arguments = command.resolve_command(context, rest)
        assert chosen is not None
        _parse(chosen, arguments)


def _prose(_: Example) -> None:
    """Output, or a piece of a language that nothing here can read."""


WORKS: dict[str, Callable[[Example], Any]] = {
    "groovy": _generated,
    "json": _json,
    "python": _python,
    "scala": _generated,
    "sh": _shell,
    # Run by tests.docs.test_postgresql_page.
    "sql": _prose,
    "text": _prose,
    "toml": _toml,
    "xml": _xml,
}

PARSERS = [CodeBlockParser(language, works) for language, works in WORKS.items()]

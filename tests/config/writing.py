"""Configuration files for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from virtreg.config import Config, load
from virtreg.errors import ConfigError

UPSTREAM = '[[upstream]]\nname = "central"\nurl = "https://repo.example.org/maven2"\n'
REGISTRY = '[[registry]]\nname = "main"\nformat = "maven"\nupstreams = ["central"]\n'


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration that ``text`` is."""
    path = folder / "server.toml"
    path.write_text(text)
    return load(path, environ or {})


def refusals(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The lines of the error that ``text`` is refused with, without the file."""
    try:
        read(folder, text, environ)
    except ConfigError as error:
        lines = error.message.splitlines()
        assert all(line.startswith(f"{folder / 'server.toml'}: ") for line in lines)
        return [line.removeprefix(f"{folder / 'server.toml'}: ") for line in lines]
    raise AssertionError("the file was accepted")


def with_upstream(line: str) -> str:
    """A file that is right but for one more line in its upstream."""
    return f"{UPSTREAM}{line}\n{REGISTRY}"

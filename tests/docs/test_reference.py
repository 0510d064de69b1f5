"""The reference names everything there is, and nothing there is not."""

from __future__ import annotations

import re

import attrs
import click

from tests.docs.running import ROOT
from virtreg import errors
from virtreg.cli.commands import virtreg
from virtreg.config import ServerConfig, StorageConfig
from virtreg.model import RegistrySpec, UpstreamSpec

REFERENCE = ROOT / "docs" / "reference"


def _keys(table: str) -> set[str]:
    """The first column of the table below a heading."""
    page = (REFERENCE / "configuration.md").read_text()
    section = page.split(f"\n## `{table}`\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    return {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}


def _fields(kind: type[attrs.AttrsInstance]) -> set[str]:
    return {field.name for field in attrs.fields(kind)}


def test_every_configuration_key_is_described() -> None:
    assert _keys("[server]") == _fields(ServerConfig)
    assert _keys("[storage]") == _fields(StorageConfig)
    assert _keys("[[upstream]]") == _fields(UpstreamSpec)
    assert _keys("[[registry]]") == _fields(RegistrySpec)


def test_every_described_error_is_as_described() -> None:
    page = (REFERENCE / "errors.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d*) ?\| `(\w+)` \|", page, re.MULTILINE)
    assert len(rows) > 10
    for name, status, code in rows:
        error: type[errors.VirtregError] = getattr(errors, name)
        assert (name, error.code) == (name, code)
        assert not status or error.status == int(status)


def test_every_command_and_option_is_described() -> None:
    page = (REFERENCE / "cli.md").read_text()
    for name, command in virtreg.commands.items():
        assert f"## `virtreg {name} " in page
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(option in page for option in parameter.opts)

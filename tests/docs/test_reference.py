"""The reference names everything there is, and nothing there is not."""

from __future__ import annotations

import re
import tomllib

import attrs
import click
import pytest

from tests.docs.running import ROOT
from virtreg import errors
from virtreg.cli.commands import virtreg
from virtreg.config import (
    AccessConfig,
    LimitsConfig,
    ManagementConfig,
    MetricsConfig,
    ServerConfig,
    StorageConfig,
    TracingConfig,
)
from virtreg.config.tables import RegistryTable
from virtreg.model import Ownership, Rule, UpstreamSpec

REFERENCE = ROOT / "docs" / "reference"


TABLES: dict[str, type[attrs.AttrsInstance]] = {
    "[server]": ServerConfig,
    "[storage]": StorageConfig,
    "[access]": AccessConfig,
    "[limits]": LimitsConfig,
    "[management]": ManagementConfig,
    "[metrics]": MetricsConfig,
    "[tracing]": TracingConfig,
    "[[upstream]]": UpstreamSpec,
    "[[upstream.rules]]": Rule,
    "[[registry]]": RegistryTable,
    "[[registry.ownerships]]": Ownership,
}


def _described(table: str) -> dict[str, str]:
    """The second column of the table below a heading, by the keys in the first."""
    page = (REFERENCE / "configuration.md").read_text()
    section = page.split(f"\n## `{table}`\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \| ?(.*?) \|", section, re.MULTILINE)
    return {key: default for keys, default in rows for key in re.findall(r"`(\w+)`", keys)}


def _default(text: str) -> object:
    """What a cell of the column says, as the value a field would have."""
    if text == "required":
        return attrs.NOTHING
    if text.startswith("`"):
        value = tomllib.loads(f"value = {text.strip('`')}")["value"]
        return tuple(value) if isinstance(value, list) else value
    return None


@pytest.mark.parametrize("table", TABLES)
def test_every_configuration_key_is_described_with_its_default(table: str) -> None:
    described = {key: _default(text) for key, text in _described(table).items()}
    fields = {
        field.name: field.default
        for field in attrs.fields(TABLES[table])
        if field.metadata.get("configured", True)
    }
    if table == "[storage]":
        fields["path"] = str(fields["path"])
    if table == "[[upstream]]":
        assert fields.pop("headers") == ()
        assert described.pop("headers") is None
    assert described == fields


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
        below = command.commands if isinstance(command, click.Group) else {}
        for inner in below:
            assert f"\nvirtreg {name} {inner}" in page
        for each in (command, *below.values()):
            for parameter in each.params:
                if isinstance(parameter, click.Option):
                    assert all(option in page for option in parameter.opts)

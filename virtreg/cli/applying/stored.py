"""What is stored in the groups that a file is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from virtreg.cli import finding
from virtreg.cli.api import Client
from virtreg.cli.applying.wanted import Key
from virtreg.cli.finding import Thing


@define(eq=False)
class Stored:
    """As it was when it was looked at."""

    registries: dict[Key, Thing] = field(factory=dict)
    """With their upstreams in order, as ``upstreams``."""
    upstreams: list[tuple[Key, Thing]] = field(factory=list)
    """Several may have one name."""


def stored_in(client: Client, groups: Iterable[str]) -> Stored:
    """Raises ClickException."""
    stored = Stored()
    for group in groups:
        for thing in finding.registries(client, group):
            path = f"{thing.root}/registries/{thing.id}/upstreams"
            thing.shown["upstreams"] = client.get(path)
            stored.registries[_key(group, thing)] = thing
        for thing in finding.upstreams(client, group):
            stored.upstreams.append((_key(group, thing), thing))
    return stored


def rules_of(client: Client, thing: Thing) -> list[dict[str, Any]]:
    """Those that are stored; a file's own have no id."""
    listed = client.get(f"{thing.root}/upstreams/{thing.id}/rules")
    return [each for each in listed if each["id"] is not None]


def ownerships_of(client: Client, thing: Thing) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{thing.root}/registries/{thing.id}/ownerships")[
        "ownerships"
    ]
    return found


def _key(group: str, thing: Thing) -> Key:
    return group, thing.format, thing.shown["name"]

"""Registries and upstreams, by what people call them: an id, or a name in a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote

import click
from attrs import frozen

from virtreg.cli.api import Client, Refused

Command = TypeVar("Command", bound=Callable[..., Any])

PARTS: Final = {"maven": "packages/maven", "container": "container"}
"""Of the API's paths, by format."""

group_option = click.option(
    "--group",
    metavar="NAME",
    envvar="VIRTREG_GROUP",
    default="default",
    show_default=True,
    help="Whose they are, by name or number; VIRTREG_GROUP of the environment says it too.",
)
format_option = click.option(
    "--format", "format_name", type=click.Choice(list(PARTS)), help="Only those of this format."
)


@frozen
class Thing:
    """A registry or an upstream, as the API shows it."""

    format: str
    shown: dict[str, Any]

    @property
    def id(self) -> int:
        number: int = self.shown["id"]
        return number

    @property
    def root(self) -> str:
        """Of the API's paths for its format."""
        return f"/virtual_registries/{PARTS[self.format]}"

    def __str__(self) -> str:
        return f"{self.id} {self.shown['name']!r}"


def place_of(shown: Mapping[str, Any]) -> str:
    """Where an upstream is: its URL, or the registry that it is. Folders are not told."""
    if shown.get("local_registry_id") is not None:
        return f"registry {shown['local_registry_id']}"
    return str(shown.get("url") or shown.get("upstream_type", "-"))


def in_group(group: str, rest: str) -> str:
    """A path of the API, below a group's."""
    return f"/groups/{quote(group, safe='')}/-/virtual_registries/{rest}"


def of_group(client: Client, group: str, rest: str) -> Any:
    """What a GET of such a path gives. Raises Refused, saying that it may be the group that is not
    there."""
    with_name = in_group(group, rest)
    try:
        return client.get(with_name)
    except Refused as error:
        raise _no_group(error, group) from None


def registries(client: Client, group: str, format_name: str | None = None) -> Iterator[Thing]:
    """Those of a group."""
    for each, part in PARTS.items():
        if format_name in (None, each):
            for shown in of_group(client, group, f"{part}/registries"):
                yield Thing(each, shown)


def upstreams(
    client: Client, group: str, format_name: str | None = None, search: str = ""
) -> Iterator[Thing]:
    """Those of a group, whichever registries list them."""
    for each, part in PARTS.items():
        if format_name in (None, each):
            path = in_group(group, f"{part}/upstreams")
            try:
                for shown in client.every(path, upstream_name=search):
                    yield Thing(each, shown)
            except Refused as error:
                raise _no_group(error, group) from None


def registry(client: Client, called: str, group: str) -> Thing:
    """By its id, else by its name in the group or in URLs. Raises ClickException."""
    found = _by_id(client, called, "registries")
    return found or _one("registry", called, group, registries(client, group))


def upstream(client: Client, called: str, group: str) -> Thing:
    """By its id, else by its name in the group. Raises ClickException."""
    found = _by_id(client, called, "upstreams")
    return found or _one("upstream", called, group, upstreams(client, group, search=called))


def whole(client: Client, thing: Thing, kind: str) -> dict[str, Any]:
    """All that the API shows of one; ``kind`` is ``registries`` or ``upstreams``."""
    shown: dict[str, Any] = client.get(f"{thing.root}/{kind}/{thing.id}")
    return shown


def _by_id(client: Client, called: str, kind: str) -> Thing | None:
    if not (called.isascii() and called.isdecimal() and len(called) <= 15):
        return None
    for format_name, part in PARTS.items():
        try:
            return Thing(format_name, client.get(f"/virtual_registries/{part}/{kind}/{called}"))
        except Refused as error:
            if error.status != 404:
                raise
    return None


def _one(what: str, called: str, group: str, things: Iterable[Thing]) -> Thing:
    found = [each for each in things if called in (each.shown["name"], each.shown.get("slug"))]
    # Of the names that make URLs there is one of a kind.
    exact = [each for each in found if called == each.shown.get("slug")]
    if len(found) > 1 and len(exact) != 1:
        told = ", ".join(f"{each.id} ({each.format})" for each in found)
        raise click.ClickException(
            f"several {what.removesuffix('y')}{'ies' if what.endswith('y') else 's'} of group"
            f" {group!r} are called {called!r}; say which by its id: {told}"
        )
    if not found:
        raise click.ClickException(f"there is no {what} {called!r} in group {group!r}")
    return (exact or found)[0]


def _no_group(error: Refused, group: str) -> Refused:
    if error.status != 404:
        return error
    return Refused(
        404,
        f"there is no group {group!r}, or it is switched off, or not for you; --group says which"
        " one is meant",
    )

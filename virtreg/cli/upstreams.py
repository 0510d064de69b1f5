"""``virtreg upstream``: where registries take files from, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from virtreg.cli import finding
from virtreg.cli.api import Client
from virtreg.cli.finding import PARTS, Thing, format_option, group_option, in_group
from virtreg.cli.passwords import password_file, password_for
from virtreg.cli.reaching import on_api
from virtreg.cli.tables import as_json, dump, facts, rows, say
from virtreg.cli.upstream_fields import settings
from virtreg.cli.upstream_rules import rules

_COLUMNS = ("id", "name", "format", "url", "username", "declared", "rules_count")
_PLACED = ("position", "id", "name", "url", "username", "declared", "rules_count")

registry_option = click.option(
    "--registry", metavar="REGISTRY", required=True, help="In which one, by id or name."
)


@click.group()
def upstream() -> None:
    """Where registries take files from, and in which order."""


upstream.add_command(rules)


@upstream.command("list")
@click.option("--registry", metavar="REGISTRY", help="Those of this one, in order.")
@click.option("--search", metavar="TEXT", default="", help="Only those with this in their name.")
@format_option
@group_option
@as_json
@on_api
def list_upstreams(
    client: Client,
    registry: str | None,
    search: str,
    group: str,
    format_name: str | None,
    as_json: bool,
) -> None:
    """List the upstreams of a group, or those of a registry in the order they are asked in."""
    if registry is None:
        found = list(finding.upstreams(client, group, format_name, search))
        told = (
            {**each.shown, "url": finding.place_of(each.shown), "format": each.format}
            for each in found
        )
        rows(_COLUMNS, told, [each.shown for each in found], as_json=as_json)
        return
    if search or format_name:
        raise click.UsageError("--registry does not go with --search and --format")
    listed = upstreams_of(client, finding.registry(client, registry, group))
    placed = (
        {
            **each,
            "url": finding.place_of(each),
            "position": each["registry_upstream"]["position"],
        }
        for each in listed
    )
    rows(_PLACED, placed, listed, as_json=as_json)


@upstream.command("show")
@click.argument("upstream")
@group_option
@as_json
@on_api
def show_upstream(client: Client, upstream: str, group: str, as_json: bool) -> None:
    """Show UPSTREAM, an id or a name; never its password."""
    found = finding.upstream(client, upstream, group)
    shown = finding.whole(client, found, "upstreams")
    if as_json:
        dump(shown)
        return
    places = shown["registry_upstreams"]
    told = [f"registry {each['registry_id']}, position {each['position']}" for each in places]
    facts({**shown, "registry_upstreams": told, "format": found.format}, as_json=False)


@upstream.command("create")
@click.argument("registry")
@click.argument("name")
@click.argument("url")
@click.option("--username", metavar="NAME", help="Its password is asked for, or read.")
@password_file
@settings
@group_option
@as_json
@on_api
def create_upstream(
    client: Client,
    registry: str,
    name: str,
    url: str,
    username: str | None,
    password_file: Path | None,
    group: str,
    as_json: bool,
    **fields: Any,
) -> None:
    """Create the upstream NAME at URL, in the last place of REGISTRY."""
    found = finding.registry(client, registry, group)
    body = {"name": name, "url": url, **_given(fields)}
    body |= _login(name, username, password_file)
    made = client.post(f"{found.root}/registries/{found.id}/upstreams", body)
    place = made["registry_upstream"]["position"]
    say(f"upstream {made['id']} {name!r} is created, in place {place} of registry {found}")
    if as_json:
        dump(made)


@upstream.command("update")
@click.argument("upstream")
@click.option("--name", metavar="TEXT")
@click.option("--url", metavar="URL", help="The login goes, unless one is said as well.")
@click.option("--username", metavar="NAME", help="Its password is asked for, or read.")
@password_file
@click.option("--no-login", is_flag=True, help="Take the user name and the password away.")
@settings
@group_option
@as_json
@on_api
def update_upstream(
    client: Client,
    upstream: str,
    username: str | None,
    password_file: Path | None,
    no_login: bool,
    group: str,
    as_json: bool,
    **fields: Any,
) -> None:
    """Change what is said of UPSTREAM; the rest stays."""
    changes = _given(fields)
    if no_login and (username or password_file):
        raise click.UsageError("--no-login does not go with a login")
    if not (changes or username or no_login):
        raise click.UsageError("say what to change, such as --url or --cache-validity-hours")
    found = finding.upstream(client, upstream, group)
    if no_login:
        changes |= {"username": None, "password": None}
    changes |= _login(found.shown["name"], username, password_file)
    changed = client.patch(f"{found.root}/upstreams/{found.id}", changes)
    say(f"upstream {found} is changed")
    if as_json:
        dump(changed)


@upstream.command("delete")
@click.argument("upstream")
@group_option
@on_api
def delete_upstream(client: Client, upstream: str, group: str) -> None:
    """Delete UPSTREAM, from every registry it is in."""
    found = finding.upstream(client, upstream, group)
    client.delete(f"{found.root}/upstreams/{found.id}")
    say(f"upstream {found} is deleted")


@upstream.command("test")
@click.argument("upstream")
@click.option(
    "--new",
    "format_name",
    type=click.Choice(list(PARTS)),
    help="UPSTREAM is the URL of one that is not there yet, of this format.",
)
@click.option("--username", metavar="NAME", help="With --new: its password is asked for, or read.")
@password_file
@group_option
@as_json
@on_api(asking=True)
def test_upstream(
    client: Client,
    upstream: str,
    format_name: str | None,
    username: str | None,
    password_file: Path | None,
    group: str,
    as_json: bool,
) -> None:
    """Ask UPSTREAM for something small, and say whether it answers. Status 1: it does not."""
    if format_name is None and (username or password_file):
        raise click.UsageError("--username and --password-file go with --new")
    if format_name is not None:
        body = {"url": upstream, **_login(upstream, username, password_file)}
        told = client.post(in_group(group, f"{PARTS[format_name]}/upstreams/test"), body)
    else:
        found = finding.upstream(client, upstream, group)
        told = client.get(f"{found.root}/upstreams/{found.id}/test")
    if as_json:
        dump(told)
    else:
        result = str(told.get("result", "")).removeprefix("Error: ")
        click.echo(f"ok: {upstream}" if told["success"] else f"problem: {upstream}: {result}")
    if not told["success"]:
        raise SystemExit(1)


@upstream.command("move")
@click.argument("upstream")
@click.argument("position", type=click.IntRange(1))
@registry_option
@group_option
@on_api
def move_upstream(client: Client, upstream: str, position: int, registry: str, group: str) -> None:
    """Have UPSTREAM asked in another place of a registry: POSITION, from 1."""
    found = finding.registry(client, registry, group)
    listed = listed_in(client, found, upstream)
    number = listed["registry_upstream"]["id"]
    moved = client.patch(f"{found.root}/registry_upstreams/{number}", {"position": position})
    say(f"upstream {listed['id']} {listed['name']!r} is in place {moved['position']}")


@upstream.command("link")
@click.argument("upstream")
@registry_option
@group_option
@on_api
def link_upstream(client: Client, upstream: str, registry: str, group: str) -> None:
    """Put UPSTREAM in the last place of one more registry of its group."""
    to = finding.registry(client, registry, group)
    found = finding.upstream(client, upstream, group)
    if to.format != found.format:
        raise click.ClickException(
            f"upstream {found} is of the format {found.format}, registry {to} of {to.format}"
        )
    body = {"registry_id": to.id, "upstream_id": found.id}
    made = client.post(f"{to.root}/registry_upstreams", body)
    say(f"upstream {found} is in place {made['position']} of registry {to}")


@upstream.command("unlink")
@click.argument("upstream")
@registry_option
@group_option
@on_api
def unlink_upstream(client: Client, upstream: str, registry: str, group: str) -> None:
    """Take UPSTREAM out of a registry; it stays, even where no other has it."""
    found = finding.registry(client, registry, group)
    listed = listed_in(client, found, upstream)
    client.delete(f"{found.root}/registry_upstreams/{listed['registry_upstream']['id']}")
    say(f"upstream {listed['id']} {listed['name']!r} is not in registry {found} any more")


def upstreams_of(client: Client, registry: Thing) -> list[dict[str, Any]]:
    """Those of a registry, in order, each with its place."""
    listed: list[dict[str, Any]] = client.get(f"{registry.root}/registries/{registry.id}/upstreams")
    return listed


def listed_in(client: Client, registry: Thing, called: str) -> dict[str, Any]:
    """The upstream of the registry that is called so, by id or name. Raises ClickException."""
    listed = upstreams_of(client, registry)
    found = [each for each in listed if str(each["id"]) == called] or [
        each for each in listed if each["name"] == called
    ]
    if not found:
        raise click.ClickException(f"registry {registry} has no upstream {called!r}")
    if len(found) > 1:
        told = ", ".join(str(each["id"]) for each in found)
        raise click.ClickException(f"several are called {called!r}; say which by its id: {told}")
    return found[0]


def _login(name: str, username: str | None, file: Path | None) -> dict[str, str]:
    if username is None:
        if file is not None:
            raise click.UsageError("--password-file needs --username")
        return {}
    return {"username": username, "password": password_for(name, file)}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

"""``virtreg registry``: registries that are managed while the server runs."""

from __future__ import annotations

from typing import Any

import click

from virtreg.cli import finding
from virtreg.cli.api import Client
from virtreg.cli.finding import PARTS, format_option, group_option, in_group
from virtreg.cli.reaching import on_api
from virtreg.cli.tables import as_json, dump, facts, rows, say

_COLUMNS = ("id", "name", "format", "order", "declared", "slug", "description")
_ORDER = click.Choice(["cached", "strict"])


@click.group()
def registry() -> None:
    """What clients pull from."""


@registry.command("list")
@format_option
@group_option
@as_json
@on_api
def list_registries(client: Client, group: str, format_name: str | None, as_json: bool) -> None:
    """List the registries of a group."""
    found = list(finding.registries(client, group, format_name))
    content = [each.shown for each in found]
    told = ({**each.shown, "format": each.format} for each in found)
    rows(_COLUMNS, told, content, as_json=as_json)


@registry.command("show", short_help="Show a registry and its upstreams.")
@click.argument("registry")
@group_option
@as_json
@on_api
def show_registry(client: Client, registry: str, group: str, as_json: bool) -> None:
    """Show REGISTRY, an id or a name, and which upstreams it asks in which order."""
    found = finding.registry(client, registry, group)
    shown = finding.whole(client, found, "registries")
    if as_json:
        dump(shown)
        return
    listed = client.get(f"{found.root}/registries/{found.id}/upstreams")
    told = {**shown, "format": found.format}
    told["registry_upstreams"] = [
        f"{each['registry_upstream']['position']}. {each['name']} ({each['id']}):"
        f" {finding.place_of(each)}"
        for each in listed
    ]
    facts(told, as_json=False)


@registry.command("create")
@click.argument("name")
@click.option("--format", "format_name", type=click.Choice(list(PARTS)), required=True)
@click.option("--description", metavar="TEXT")
@click.option("--order", type=_ORDER, help="Which upstream answers; see the configuration.")
@group_option
@as_json
@on_api
def create_registry(
    client: Client, name: str, format_name: str, group: str, as_json: bool, **fields: str | None
) -> None:
    """Create the registry NAME, without upstreams."""
    path = in_group(group, f"{PARTS[format_name]}/registries")
    made = client.post(path, {"name": name, **_given(fields)})
    say(f"registry {made['id']} {name!r} is created")
    if as_json:
        dump(made)


@registry.command("update")
@click.argument("registry")
@click.option("--name", metavar="TEXT")
@click.option("--description", metavar="TEXT")
@click.option("--order", type=_ORDER, help="Which upstream answers; see the configuration.")
@group_option
@as_json
@on_api
def update_registry(
    client: Client, registry: str, group: str, as_json: bool, **fields: str | None
) -> None:
    """Change what is said of REGISTRY; the rest stays."""
    changes = _given(fields)
    if not changes:
        raise click.UsageError("say what to change: --name, --description or --order")
    found = finding.registry(client, registry, group)
    changed = client.patch(f"{found.root}/registries/{found.id}", changes)
    say(f"registry {found} is changed")
    if as_json:
        dump(changed)


@registry.command("delete", short_help="Delete a registry and its own upstreams.")
@click.argument("registry")
@group_option
@on_api
def delete_registry(client: Client, registry: str, group: str) -> None:
    """Delete REGISTRY, with the upstreams that no other registry lists and their cache."""
    found = finding.registry(client, registry, group)
    client.delete(f"{found.root}/registries/{found.id}")
    say(f"registry {found} is deleted")


def _given(fields: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

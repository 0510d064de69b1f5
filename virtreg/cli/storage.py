"""``virtreg storage``: how much the caches of a group hold, and may."""

from __future__ import annotations

from typing import Any

import click

from virtreg.cli.api import Client
from virtreg.cli.finding import group_option, in_group, of_group
from virtreg.cli.reaching import on_api
from virtreg.cli.sizes import ANY, counted, size_or_none
from virtreg.cli.tables import as_json, rows, say, size

_COLUMNS = ("what", "id", "name", "format", "entries", "size")


@click.command(short_help="Say how much is cached; set a quota.")
@click.option(
    "--quota",
    metavar="SIZE",
    type=size_or_none,
    help="Let the group's caches hold so much, as 500GB; none: any number. For administrators.",
)
@click.option(
    "--when-full",
    type=click.Choice(["evict", "stream"]),
    help="Beyond the quota, remove what was downloaded least recently, or keep nothing more.",
)
@group_option
@as_json
@on_api
def storage(
    client: Client, group: str, quota: int | None, when_full: str | None, as_json: bool
) -> None:
    """Say how much the caches of a group hold, by registry and upstream."""
    changes: dict[str, Any] = {}
    if quota is not None:
        changes["storage_quota_bytes"] = None if quota == ANY else quota
    if when_full is not None:
        changes["when_full"] = when_full
    if changes:
        client.patch(in_group(group, "settings"), changes)
        say(f"the quota of group {group!r} is set")
    held = of_group(client, group, "storage")
    rows(_COLUMNS, _rows(held), held, as_json=as_json)
    if not as_json:
        limit = held["storage_quota_bytes"]
        told = "no quota" if limit is None else f"quota {size(limit)}, then {held['when_full']}"
        click.echo(
            f"group {group}: {counted(held['entries'], 'entry', 'entries')},"
            f" {size(held['bytes'])}; {told};"
            f" as of {held['as_of']}"
        )


def _rows(held: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**each, "what": what, "size": size(each["bytes"])}
        for what, key in (("registry", "registries"), ("upstream", "upstreams"))
        for each in held[key]
    ]

"""``virtreg policy``: what is removed from the caches of a group, and when."""

from __future__ import annotations

from typing import Any

import click

from virtreg.cli.api import Client, Refused
from virtreg.cli.finding import group_option, in_group, of_group
from virtreg.cli.reaching import on_api
from virtreg.cli.sizes import ANY, counted, size_or_none
from virtreg.cli.tables import as_json, dump, facts, say, size

_POLICY = "cleanup/policy"
_CADENCES = ("1", "7", "14", "30", "90")


@click.group()
def policy() -> None:
    """What is removed from the caches of a group, and when."""


@policy.command("show")
@group_option
@as_json
@on_api
def show_policy(client: Client, group: str, as_json: bool) -> None:
    """Show the cleanup policy of a group, and what it removed last."""
    facts(_shown(client, group), as_json=as_json)


@policy.command("set")
@click.option("--enabled/--disabled", default=None, help="Whether it runs by itself.")
@click.option(
    "--keep-days",
    "keep_n_days_after_download",
    metavar="N",
    type=int,
    help="Days after its last download for which a file is kept: 1 to 365.",
)
@click.option("--cadence", type=click.Choice(_CADENCES), help="Days between two runs.")
@click.option(
    "--keep-bytes",
    metavar="SIZE",
    type=size_or_none,
    help="As 500GB: beyond it, what was downloaded least recently goes; none: any number.",
)
@group_option
@as_json
@on_api
def set_policy(
    client: Client, group: str, cadence: str | None, as_json: bool, **fields: Any
) -> None:
    """Make or change the cleanup policy of a group; what is not said stays."""
    changes = {name: value for name, value in fields.items() if value is not None}
    if changes.get("keep_bytes") == ANY:
        changes["keep_bytes"] = None
    if cadence is not None:
        changes["cadence"] = int(cadence)
    if not changes:
        raise click.UsageError("say what to set, such as --enabled or --keep-days")
    path = in_group(group, _POLICY)
    try:
        shown = client.patch(path, changes)
    except Refused as error:
        if error.status != 404:
            raise
        shown = client.post(path, changes)
    say(f"the cleanup policy of group {group!r} is set")
    if as_json:
        dump(shown)


@policy.command("remove")
@group_option
@on_api
def remove_policy(client: Client, group: str) -> None:
    """Remove the cleanup policy of a group: nothing is removed for its age any more."""
    _shown(client, group)
    client.delete(in_group(group, _POLICY))
    say(f"the cleanup policy of group {group!r} is removed")


@policy.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@group_option
@as_json
@on_api
def run_policy(client: Client, group: str, dry_run: bool, as_json: bool) -> None:
    """Run the cleanup policy of a group now, enabled or not."""
    _shown(client, group)
    query = {"dry_run": "true"} if dry_run else {}
    told = client.post(in_group(group, f"{_POLICY}/run"), None, **query)
    if as_json:
        dump(told)
        return
    verb = "would be removed" if dry_run else "removed"
    entries = counted(told["deleted_entries_count"], "entry", "entries")
    click.echo(f"{entries} {verb}, {size(told['deleted_size'])}")
    if not told["finished"]:
        say("it goes on; `virtreg policy show` tells when it has ended")


def _shown(client: Client, group: str) -> dict[str, Any]:
    """Raises ClickException saying what is not there."""
    try:
        found: dict[str, Any] = client.get(in_group(group, _POLICY))
    except Refused as error:
        if error.status == 404:
            # Where the group can be seen, it is the policy that is not there.
            of_group(client, group, "settings")
            raise click.ClickException(f"group {group!r} has no cleanup policy") from None
        raise
    return found

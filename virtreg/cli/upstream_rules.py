"""``virtreg upstream rules``: what an upstream may answer for."""

from __future__ import annotations

from itertools import chain

import click

from virtreg.cli import finding
from virtreg.cli.api import Client, Refused
from virtreg.cli.finding import PARTS, group_option
from virtreg.cli.reaching import on_api
from virtreg.cli.sizes import counted
from virtreg.cli.tables import as_json, dump, rows, say

_COORDINATES = {
    "maven": ("group_id", "artifact_id", "version"),
    "container": ("image", "tag"),
}
_COLUMNS = ("id", "rule_type", "target_coordinate", "pattern_type", "pattern")


@click.group()
def rules() -> None:
    """What an upstream may answer for."""


@rules.command("list")
@click.argument("upstream")
@group_option
@as_json
@on_api
def list_rules(client: Client, upstream: str, group: str, as_json: bool) -> None:
    """List the rules of UPSTREAM; those without an id are in the configuration file."""
    found = finding.upstream(client, upstream, group)
    listed = client.get(f"{found.root}/upstreams/{found.id}/rules")
    rows(_COLUMNS, listed, as_json=as_json)


@rules.command("add")
@click.argument("upstream")
@click.argument("kind", metavar="allow|deny", type=click.Choice(["allow", "deny"]))
@click.argument(
    "coordinate", metavar="COORDINATE", type=click.Choice(sorted({*chain(*_COORDINATES.values())}))
)
@click.argument("pattern")
@click.option(
    "--regex", is_flag=True, help="PATTERN is a regular expression (RE2), found anywhere."
)
@click.option("--dry-run", is_flag=True, help="Say what it would hide of what is cached.")
@group_option
@as_json
@on_api
def add_rule(
    client: Client,
    upstream: str,
    kind: str,
    coordinate: str,
    pattern: str,
    regex: bool,
    dry_run: bool,
    group: str,
    as_json: bool,
) -> None:
    """Let UPSTREAM answer only, or never, for what matches.

    COORDINATE is group_id, artifact_id or version of Maven files, image or tag of images. PATTERN
    is for all of it, * standing for any text.
    """
    found = finding.upstream(client, upstream, group)
    if coordinate not in _COORDINATES[found.format]:
        told = ", ".join(_COORDINATES[found.format])
        raise click.ClickException(
            f"upstream {found} is of the format {found.format}: its rules are for {told}"
        )
    rule = {
        "rule_type": kind,
        "target_coordinate": coordinate,
        "pattern": pattern,
        "pattern_type": "regex" if regex else "wildcard",
    }
    query = {"dry_run": "true"} if dry_run else {}
    told = client.post(f"{found.root}/upstreams/{found.id}/rules", rule, **query)
    if as_json:
        dump(told)
    elif dry_run:
        for path in told["paths"]:
            click.echo(path)
    if dry_run:
        more = "" if told["complete"] else " of those that were looked at"
        say(f"it would hide {counted(told['count'], 'cached file', 'cached files')}{more}")
    else:
        say(f"rule {told['id']} of upstream {found} is added")


@rules.command("remove")
@click.argument("rule", metavar="ID", type=click.IntRange(1))
@on_api
def remove_rule(client: Client, rule: int) -> None:
    """Remove the rule with this ID, which lists show."""
    for part in PARTS.values():
        try:
            client.delete(f"/virtual_registries/{part}/upstream_rules/{rule}")
        except Refused as error:
            if error.status != 404:
                raise
        else:
            say(f"rule {rule} is removed")
            return
    raise click.ClickException(f"there is no rule {rule}")

"""``virtreg cache``: what is kept of upstreams."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from virtreg.cli import finding
from virtreg.cli.api import Client
from virtreg.cli.explained import show_explained
from virtreg.cli.finding import Thing, group_option
from virtreg.cli.reaching import on_api
from virtreg.cli.sizes import counted
from virtreg.cli.tables import as_json, dump, rows, say, size

_COLUMNS = ("size", "downloads", "downloaded_at", "fresh_until", "path")
"""Paths last: they may be long, and terminals narrow."""
_MOST_PATHS = 100
"""Of one call of the API."""


@click.group()
def cache() -> None:
    """What is kept of upstreams."""


@cache.command("list")
@click.argument("upstream")
@click.option("--search", metavar="TEXT", default="", help="Only paths with this in them.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), default=100, show_default=True, help="At most."
)
@group_option
@as_json
@on_api
def list_entries(
    client: Client, upstream: str, search: str, limit: int, group: str, as_json: bool
) -> None:
    """List what is cached of UPSTREAM, the newest first."""
    found = finding.upstream(client, upstream, group)
    entries = list(islice(_entries(client, found, search), limit + 1))
    if len(entries) > limit:
        entries.pop()
        say(f"there are more than {limit}; see --limit and --search")
    rows(_COLUMNS, map(_row, entries), entries, as_json=as_json)


@cache.command("delete", short_help="Forget files of an upstream.")
@click.argument("upstream")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@group_option
@on_api
def delete_entries(client: Client, upstream: str, paths: tuple[str, ...], group: str) -> None:
    """Forget every PATH of UPSTREAM, as lists show them; it is fetched again when it is wanted."""
    found = finding.upstream(client, upstream, group)
    missing = 0
    for path in paths:
        wanted = f"/{path.removeprefix('/')}"
        entries = _entries(client, found, wanted)
        entry = next((each for each in entries if each["relative_path"] == wanted), None)
        if entry is None:
            missing += 1
            say(f"{wanted} is not cached")
        else:
            client.delete(f"{found.root}/cache_entries/{entry['id']}")
            say(f"{wanted} is deleted")
    if missing:
        raise SystemExit(1)


@cache.command("purge", short_help="Forget all of a registry or upstream.")
@click.argument("registry", required=False)
@click.option("--upstream", metavar="UPSTREAM", help="All of this upstream, instead.")
@group_option
@on_api
def purge_cache(client: Client, registry: str | None, upstream: str | None, group: str) -> None:
    """Forget all of REGISTRY: what is cached of the upstreams that no other registry lists."""
    if (registry is None) == (upstream is None):
        raise click.UsageError("say either REGISTRY or --upstream UPSTREAM")
    if registry is not None:
        found = finding.registry(client, registry, group)
        client.delete(f"{found.root}/registries/{found.id}/cache")
        say(f"the cache of registry {found} is empty")
    elif upstream is not None:
        found = finding.upstream(client, upstream, group)
        client.delete(f"{found.root}/upstreams/{found.id}/cache")
        say(f"the cache of upstream {found} is empty")


@cache.command("explain", short_help="Say what would be answered, and why.")
@click.argument("registry")
@click.argument("path")
@group_option
@as_json
@on_api
def explain_path(client: Client, registry: str, path: str, group: str, as_json: bool) -> None:
    """Say what REGISTRY would answer for PATH, and why; nobody is asked for it.

    PATH is as in the registry: of an image NAME/manifests/TAG.
    """
    found = finding.registry(client, registry, group)
    told = _explained(client, found, path)
    if as_json:
        dump(told)
    else:
        show_explained(told)


@cache.command("refresh", short_help="Have upstreams asked for a file now.")
@click.argument("registry")
@click.argument("path")
@group_option
@as_json
@on_api(asking=True)
def refresh_path(client: Client, registry: str, path: str, group: str, as_json: bool) -> None:
    """Have REGISTRY ask its upstreams for PATH now, however fresh what is cached may be."""
    found = finding.registry(client, registry, group)
    told = client.post(f"{found.root}/registries/{found.id}/refresh", {"path": path})
    if as_json:
        dump(told)
    else:
        more = f": {told['detail']}" if told["detail"] else ""
        click.echo(f"{told['path']}: {told['result']}{more}")
    if told["result"] in ("absent", "denied", "failed"):
        raise SystemExit(1)


@cache.command("prefetch")
@click.argument("registry")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@group_option
@on_api(asking=True)
def prefetch_paths(client: Client, registry: str, paths: tuple[str, ...], group: str) -> None:
    """Have every PATH in the cache of REGISTRY.

    A server fetches them in the background; where its data is, the command waits, and tells how it
    went. Whole images are for `virtreg prefetch`.
    """
    found = finding.registry(client, registry, group)
    taken: list[str] = []
    for at in range(0, len(paths), _MOST_PATHS):
        body = {"paths": list(paths[at : at + _MOST_PATHS])}
        told = client.post(f"{found.root}/registries/{found.id}/prefetch", body)
        client.settle()
        taken += told["paths"]
    if not client.settles:
        say(f"{counted(len(taken), 'path is', 'paths are')} being fetched")
        return
    missing = 0
    for path in taken:
        explained = _explained(client, found, path)
        held = any(each["cached"] for each in explained["upstreams"])
        missing += not held
        click.echo(
            f"ok: {path}" if held else f"problem: {path}: not kept; {explained['explanation']}"
        )
    if missing:
        raise SystemExit(1)


def _entries(client: Client, upstream: Thing, search: str) -> Any:
    return client.every(f"{upstream.root}/upstreams/{upstream.id}/cache_entries", search=search)


def _explained(client: Client, registry: Thing, path: str) -> dict[str, Any]:
    told: dict[str, Any] = client.get(
        f"{registry.root}/registries/{registry.id}/explain", path=path
    )
    return told


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": entry["relative_path"],
        "size": size(entry["size"]),
        "downloads": entry["downloads_count"],
        "downloaded_at": _minute(entry["downloaded_at"]),
        "fresh_until": _minute(entry["fresh_until"]) or "for good",
    }


def _minute(moment: str | None) -> str | None:
    """Of a moment of the API, as ``2027-01-31 12:00``; in UTC."""
    return None if moment is None else moment[:16].replace("T", " ")

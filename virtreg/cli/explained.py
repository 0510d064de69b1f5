"""An explanation of the API, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from virtreg.cli.tables import size


def show_explained(told: Mapping[str, Any]) -> None:
    """The decision, then a paragraph for each upstream, in the order they are asked in."""
    click.echo(f"{told['path']}: {told['decision']}: {told['explanation']}")
    for place, upstream in enumerate(told["upstreams"], 1):
        click.echo(f"{place}. {upstream['upstream']}")
        for line in _facts(upstream, told["path"]):
            click.echo(f"   {line}")


def _facts(upstream: Mapping[str, Any], path: str) -> Iterator[str]:
    if upstream["path"] != path:
        yield f"knows it as {upstream['path']}"
    if upstream["denied"]:
        yield str(upstream["denied"])
    if cached := upstream["cached"]:
        until = cached["fresh_until"]
        fresh = "for good" if until is None else f"until {until}"
        yield f"cached {cached['created_at']}, {size(cached['size'])}, served unchecked {fresh}"
    if upstream["absent_until"]:
        yield f"believed not to have it until {upstream['absent_until']}"
    if upstream["left_alone_until"]:
        yield f"left alone until {upstream['left_alone_until']}"
    if (quota := upstream["quota"]) and quota["remaining"] is not None:
        yield f"takes {quota['remaining']} more requests"
    yield "would be asked" if upstream["asked"] else "would not be asked"

"""``virtreg fsck``: whether what is kept is whole, and making it so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from virtreg.cli.reaching import FILE, data_option, local
from virtreg.cli.sizes import counted

if TYPE_CHECKING:
    from virtreg.cli.local import Local
    from virtreg.service.consistency import Checked, Finding

_PARTS = 257
"""Steps of a check."""


@click.command(short_help="Check that the index and the files agree.")
@click.argument("file", type=FILE, required=False)
@data_option
@click.option("--repair", is_flag=True, help="Make good what is wrong; files are fetched anew.")
@click.option("--deep", is_flag=True, help="Read every file, and compare its digest.")
def fsck(file: Path | None, data: Path | None, repair: bool, deep: bool) -> None:
    """Check that the index and the files agree, of the server that FILE configures, or whose data
    is in a folder.

    A server may run meanwhile. Status 1: something is wrong, and was not repaired.
    """
    with local(file, data, option="FILE") as door:
        found = 0
        names = _names(door)
        for finding in _findings(door, repair=repair, deep=deep):
            found += 1
            whose = (
                names.get(finding.source, f"source {finding.source}: ") if finding.source else ""
            )
            click.echo(f"{'repaired' if repair else 'problem'}: {whose}{finding}")
        if repair and found:
            # What servers keep ready may be what was removed.
            door.parts.catalog.announce()
    problems = counted(found, "problem", "problems") if found else "no problem"
    click.echo(f"{problems} {'repaired' if repair else 'found'}", err=True)
    if found and not repair:
        raise SystemExit(1)


def _names(door: Local) -> dict[str, str]:
    """By source."""
    names = {}
    for registry in door.parts.catalog.registries():
        names[registry.key] = f"registry {registry.name!r}: "
        names |= {each.key: f"upstream {each.name!r}: " for each in registry.upstreams}
    return names


def _findings(door: Local, *, repair: bool, deep: bool) -> Iterator[Finding]:
    """What is wrong; with ``repair`` what was, and is good now."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from virtreg.service.consistency import Consistency

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        TextColumn("{task.fields[entries]} entries, {task.fields[blobs]} files"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task("", total=_PARTS, entries=0, blobs=0)

    def shown(checked: Checked) -> None:
        bar.update(task, completed=checked.parts, entries=checked.entries, blobs=checked.blobs)

    consistency = Consistency(door.parts.index, door.parts.store, door.parts.clock)
    with bar:
        for finding in consistency.check(deep=deep, progress=shown):
            if not repair or consistency.repair(finding):
                yield finding

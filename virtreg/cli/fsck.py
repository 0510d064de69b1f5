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
@click.option(
    "--rebuild", is_flag=True, help="Make an index again that was lost, from the journal."
)
def fsck(file: Path | None, data: Path | None, repair: bool, deep: bool, rebuild: bool) -> None:
    """Check that the index and the files agree, of the server that FILE configures, or whose data
    is in a folder.

    A server may run meanwhile. Status 1: something is wrong, and was not repaired.
    """
    if rebuild and (repair or deep):
        raise click.UsageError("--rebuild goes alone; check what there is afterwards")
    with local(file, data, option="FILE") as door:
        if rebuild:
            _rebuild(door)
            return
        found = 0
        if (lost := _lost(door)) is not None:
            found = 1
            click.echo(f"problem: {lost}")
            if repair:
                raise click.ClickException("not repaired: make the index again first")
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
    agreed = _lost(door) is None
    with bar:
        for finding in consistency.check(deep=deep, progress=shown):
            if not agreed and finding.kind == "unreferenced":
                continue  # It is what was lost that refers to it.
            if not repair or consistency.repair(finding):
                yield finding


def _lost(door: Local) -> str | None:
    """What is wrong with the index as a whole."""
    from virtreg.service.agreement import LOST, Agreement

    return None if Agreement(door.parts.index, door.parts.store).holds() else LOST


def _rebuild(door: Local) -> None:
    """Take back what the journal tells."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from virtreg.service.leasing import LeaseLost
    from virtreg.service.rebuilding import Rebuilding, Rebuilt

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        TextColumn("{task.fields[taken]} entries"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task("", total=None, taken=0)

    def shown(rebuilt: Rebuilt) -> None:
        bar.update(task, total=rebuilt.of, completed=rebuilt.notes, taken=rebuilt.taken)

    parts = door.parts
    with bar:
        try:
            rebuilt = Rebuilding(parts.index, parts.store, parts.clock, shown).run()
        except LeaseLost:
            raise click.ClickException("another process went on with it; try again") from None
    if rebuilt.agreed:
        click.echo("the index knows of all that the journal tells: nothing was done", err=True)
        return
    for name in rebuilt.damaged:
        click.echo(f"damaged: {name} cannot be read; what it told is lost")
    if rebuilt.removed or rebuilt.without:
        # What servers keep ready may be what was removed.
        parts.catalog.announce()
    click.echo(
        f"{counted(rebuilt.taken, 'entry', 'entries')} taken from the journal,"
        f" {rebuilt.removed} removed as it tells,"
        f" {rebuilt.without} left out whose files are not there",
        err=True,
    )

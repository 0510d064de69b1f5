"""``virtreg cleanup``: cleanup policies, run by hand and in sight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from virtreg.cli.reaching import FILE, data_option, local
from virtreg.cli.sizes import counted

if TYPE_CHECKING:
    from rich.console import Console

    from virtreg.cli.local import Local
    from virtreg.service.cleaning import CleanupRun


@click.command(short_help="Run cleanup policies now.")
@click.argument("file", type=FILE, required=False)
@data_option
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option(
    "--group", "groups", metavar="NAME", multiple=True, help="Its policy alone; may be repeated."
)
def cleanup(file: Path | None, data: Path | None, dry_run: bool, groups: tuple[str, ...]) -> None:
    """Run the cleanup policies of the server that FILE configures, or whose data is in a folder.

    By default those of all groups that are enabled. A server may run meanwhile. When it is
    interrupted, the next run does what is left.
    """
    from rich.console import Console

    with local(file, data, option="FILE") as door:
        console = Console(soft_wrap=True, highlight=False, markup=False)
        chosen = groups or [each.group for each in door.parts.catalog.policies() if each.enabled]
        if not chosen:
            click.echo("no group has a cleanup policy that is enabled", err=True)
        finished = True
        for group in chosen:
            run = _run(door, group, console, dry_run=dry_run)
            finished = finished and run.finished
            for line in told(run):
                console.print(line)
        if not finished:
            raise SystemExit(1)


def told(run: CleanupRun) -> Sequence[str]:
    """What a run did, one line for each format, then one for the group."""
    from rich.filesize import decimal

    would = "would be " if run.dry_run else ""
    lines = [
        f"{run.group}: {name}: {counted(each.entries, 'entry', 'entries')} {would}removed,"
        f" {decimal(each.size)}"
        for name, each in sorted(run.by_format.items())
    ]
    stopped = "" if run.finished else "; it was stopped before the end"
    every = run.total
    entries = counted(every.entries, "entry", "entries")
    total = f"{entries} {would}removed, {decimal(every.size)} {would}freed"
    return (*lines, f"{run.group}: {total}{stopped}")


def _run(door: Local, group: str, console: Console, *, dry_run: bool) -> CleanupRun:
    from rich.filesize import decimal
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[entries]} entries, {task.fields[size]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task(group, total=None, entries=0, size=decimal(0))

    def shown(run: CleanupRun) -> None:
        bar.update(task, entries=run.total.entries, size=decimal(run.total.size))

    with bar:
        return door.parts.cleaner.run(group, dry_run=dry_run, progress=shown, actor=door.me.name)

"""``virtreg apply``: what is stored becomes what a file says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import click

from virtreg.cli.api import Client
from virtreg.cli.reaching import (
    FILE,
    config_option,
    data_option,
    local,
    reached,
    server_option,
    token_option,
)
from virtreg.cli.usable import Unusable, usable

if TYPE_CHECKING:
    from virtreg.cli.applying.plan import Plan

_DIFFERENT: Final = 2
_COLOURS: Final = {"+": "green", "-": "red", "~": "yellow"}


@click.command(short_help="Make what is stored equal to a file.")
@click.argument("wanted", metavar="FILE", type=FILE)
@config_option
@data_option
@server_option
@token_option
@click.option("--dry-run", is_flag=True, help="Only say what differs; status 2 if anything does.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
def apply(
    wanted: Path,
    file: Path | None,
    data: Path | None,
    server: str | None,
    token_file: Path | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Make the stored registries of a group those of FILE, a configuration file.

    It prints a line for all that differs: + is new, - goes, ~ changes. Only groups that FILE names
    are looked at, and what the server's own file declares is left to it. The server is the one of
    --config, --data or --server, else the one whose data is in FILE's folder.
    """
    from virtreg.cli.applying.registries import plan_of
    from virtreg.cli.applying.stored import stored_in
    from virtreg.cli.applying.wanted import wanted_of
    from virtreg.cli.launch import Launch

    whole = wanted_of(usable(Launch(file=wanted).config))
    with _reached(wanted, file, data, server, token_file, dry_run=dry_run) as client:
        stored = stored_in(client, whole.groups)
        try:
            plan, declared = plan_of(client, whole, stored)
        except ValueError as error:
            lines = str(error).splitlines()
            raise Unusable("\n".join(f"{wanted}: {line}" for line in lines)) from None
        for name in declared:
            click.echo(f"registry {name!r} is declared by the server's own file", err=True)
        for line in plan.lines:
            click.secho(str(line), fg=_COLOURS[line.mark])
        if not plan.lines:
            click.echo("nothing to do", err=True)
        elif dry_run:
            raise SystemExit(_DIFFERENT)
        else:
            if plan.removes and not yes:
                _ask(plan.removes)
            _follow(plan)
            click.echo("applied", err=True)


def _follow(plan: Plan) -> None:
    begun = False
    for step in plan.steps():
        try:
            step()
        except click.ClickException:
            if begun:
                click.echo("applied in part: the next run goes on where this one ends", err=True)
            raise
        begun = True


def _ask(number: int) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{number} things would be deleted; say --yes")
    click.confirm(f"Delete {number} of them, and change the rest?", abort=True, err=True)


@contextmanager
def _reached(
    wanted: Path,
    file: Path | None,
    data: Path | None,
    server: str | None,
    token: Path | None,
    *,
    dry_run: bool,
) -> Iterator[Client]:
    if file is None and data is None and server is None:
        with _own(wanted, dry_run=dry_run) as client:
            yield client
    else:
        with reached(file, data, server, token) as client:
            yield client


@contextmanager
def _own(wanted: Path, *, dry_run: bool) -> Iterator[Client]:
    """Of the data folder or database that the file names, which nobody said is meant."""
    from virtreg.backends.catalog import FILE as CATALOG
    from virtreg.cli.launch import Launch

    storage = usable(partial(Launch(file=wanted).config, secrets=False)).storage
    shared = storage.database is not None
    there = shared or (storage.path / CATALOG).is_file()
    place = (
        f"the data is in the database of {wanted}"
        if shared
        else f"the data folder is {storage.path}"
    )
    click.echo(f"{place}{'' if there else ', which is new'}", err=True)
    with ExitStack() as stack:
        instead = None
        if dry_run and not there:
            # Trying makes nothing.
            instead = Path(stack.enter_context(TemporaryDirectory()))
        # Its registries are to be stored, and not declared.
        yield Client(stack.enter_context(local(wanted, instead, new=True)))

"""``virtreg db``: the PostgreSQL database that nodes share."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from virtreg.cli.meant import told
from virtreg.cli.sizes import counted
from virtreg.cli.usable import Unusable, usable

if TYPE_CHECKING:
    from rich.progress import TaskID

    from virtreg.backends.sql.database import Database
    from virtreg.backends.sql.server import DatabaseServer
    from virtreg.config import Config

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def db() -> None:
    """The PostgreSQL database that nodes share."""
    # A server says when an outage begins and ends; a command fails, and says why.
    logging.getLogger("virtreg.backends.sql").addHandler(logging.NullHandler())


@db.command()
@_file
def upgrade(file: Path) -> None:
    """Bring the database of FILE up to date.

    Servers may run meanwhile. Those of the version before go on where the new one says that they
    can.
    """
    from virtreg.backends.moving import PARTS
    from virtreg.backends.sql.migrate import state_of
    from virtreg.backends.sql.migrate import upgrade as brought_up_to_date

    config = _configuration(file)
    with told(), closing(_server(config)) as server:
        database = _database(server)
        for name, part in PARTS.items():
            lacking = state_of(database, part.ledger, str(server)).lacking
            brought_up_to_date(database, part.ledger, str(server))
            done = f"brought to {part.ledger.head}" if lacking else "up to date"
            click.echo(f"{name}: {done}", err=True)


@db.command()
@_file
def check(file: Path) -> None:
    """Say whether the database of FILE can be used by this version, with the keys there are.

    Nothing is changed. Status 1: something is wrong.
    """
    config = _configuration(file)
    with told(), closing(_server(config)) as server:
        problems = 0
        for good, line in _findings(config, server):
            click.echo(f"{'ok' if good else 'problem'}: {line}")
            problems += not good
    if problems:
        raise SystemExit(1)


@db.command("copy")
@_file
@click.option(
    "--from",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    required=True,
    help="The data folder of a server that was stopped.",
)
def copy_(file: Path, folder: Path) -> None:
    """Copy what the databases in a data folder hold to the empty database of FILE.

    All of it or nothing. Files that are cached, signing keys and secrets are not in databases, and
    stay.
    """
    from virtreg.backends.moving import copy

    config = _configuration(file)
    with told(), closing(_server(config)) as server, _progress() as progress:
        copied = copy(folder.absolute(), server, progress)
    if not copied:
        raise click.ClickException(f"{folder}: no server keeps its data there")
    for name, number in copied.items():
        click.echo(f"{name}: {counted(number, 'row', 'rows')} copied", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """On a terminal, a bar for each part."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def shown(part: str, done: int, total: int) -> None:
        if part not in tasks:
            tasks[part] = bar.add_task(part, total=total)
        bar.update(tasks[part], completed=done)

    with bar:
        yield shown


def _findings(config: Config, server: DatabaseServer) -> Iterator[tuple[bool, str]]:
    """Whether it is good, and what is."""
    from virtreg.backends.moving import PARTS
    from virtreg.backends.sql.migrate import state_of
    from virtreg.errors import ConfigError

    database = _database(server)
    # The first question: who gets no answer hears of nothing that does.
    with database.reading():
        pass
    yield True, f"{server} answers"
    complete = True
    for name, part in PARTS.items():
        try:
            state = state_of(database, part.ledger, name)
        except ConfigError as error:
            complete = False
            yield False, error.message
            continue
        if state.lacking:
            complete = False
            lacking = ", ".join(state.lacking)
            yield False, f"{name}: lacks {lacking}; run virtreg db upgrade"
        elif state.newer:
            yield True, f"{name}: {state.version}, which is newer and works with {part.ledger.head}"
        else:
            yield True, f"{name}: {state.version}"
    if complete:
        yield _keys(config, server)


def _keys(config: Config, server: DatabaseServer) -> tuple[bool, str]:
    """Whether what is sealed there opens here."""
    from virtreg.backends.signing import SqlKeys
    from virtreg.backends.vault import MasterKeys
    from virtreg.errors import ConfigError

    master = MasterKeys.found(os.environ, config.folder or config.storage.path, shared=True)
    try:
        number = len(SqlKeys(_database(server), master, str(server)).read())
        if config.access.enabled:
            master.cipher()
    except ConfigError as error:
        return False, error.message
    return True, f"signing keys there are: {number}"


def _configuration(file: Path) -> Config:
    from virtreg.cli.launch import Launch

    config = usable(partial(Launch(file=file).config, secrets=False, database=True))
    if config.storage.database is None:
        raise Unusable(
            f"{file}: storage.database is not set: what is kept in the folder"
            f" {config.storage.path} is brought up to date whenever a server starts"
        )
    return config


def _server(config: Config) -> DatabaseServer:
    from virtreg.backends.sql.server import DatabaseServer

    assert config.storage.database is not None
    return DatabaseServer(config.storage.database, connections=2)


def _database(server: DatabaseServer) -> Database:
    from virtreg.backends.sql.faults import Trouble
    from virtreg.backends.sql.shared import SharedDatabase

    return SharedDatabase(server, Trouble("the database"))

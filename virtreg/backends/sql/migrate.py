"""Bring a database to this version's schema, in one transaction.

A migration may say ``oldest``: the first revision whose code works with what it makes as well. Then
nodes of that version go on, and may start anew, while others have been brought up to date. Without
it only code that knows the migration does.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from attrs import frozen
from sqlalchemy import Column, Connection, MetaData, Table, inspect, select, update

from virtreg.backends.sql.database import Database
from virtreg.backends.sql.types import Text
from virtreg.errors import ConfigError

ENVIRONMENT = Path(__file__).parent / "migrations"
"""Where Alembic finds how to run the migrations of any ledger."""

# Alembic keeps the context of a running migration in module globals.
_alembic = Lock()


@frozen
class Ledger:
    """A line of migrations and where a database remembers how far it came."""

    scripts: Path
    version_table: str
    head: str
    """The last revision of ``scripts``, so that an up-to-date database is known at once."""


@frozen
class State:
    """How far a database came, compared to this version."""

    version: str | None
    """None: it is new."""
    lacking: tuple[str, ...]
    """Revisions that it needs, in order."""
    newer: bool
    """A newer version made it, which this one can work with."""


def upgrade(database: Database, ledger: Ledger, place: str, *, allowed: bool = True) -> None:
    """Run the migrations that ``database`` lacks: all of them, or none when one fails.

    ``place`` names the database in messages. Raises ConfigError for a database of a version that
    is too new, and for one that lacks something where that is not ``allowed`` to be made.
    """
    state = state_of(database, ledger, place)
    if not state.lacking:
        return
    if not allowed:
        raise ConfigError(
            f"{place} is not up to date: of {ledger.version_table} it lacks "
            f"{', '.join(state.lacking)}. Run `virtreg db upgrade` with this configuration, or set "
            "storage.upgrade = true"
        )
    with _alembic, database.migrating() as connection:
        _run(connection, ledger, place)


def state_of(database: Database, ledger: Ledger, place: str) -> State:
    """Raises ConfigError for a database of a version that is too new."""
    with database.reading() as connection:
        return _state(connection, ledger, place)


def _remembered(connection: Connection, ledger: Ledger) -> tuple[str | None, str | None]:
    """The revision it is at, and the oldest whose code works with it if any but that does."""
    inspector = inspect(connection)
    if not inspector.has_table(ledger.version_table):
        return None, None
    table = _table(ledger)
    names = {column["name"] for column in inspector.get_columns(ledger.version_table)}
    found = [column for column in table.c if column.name in names]
    row = connection.execute(select(*found)).one_or_none()
    return (None, None) if row is None else (row.version_num, getattr(row, "oldest", None))


def _state(connection: Connection, ledger: Ledger, place: str) -> State:
    version, oldest = _remembered(connection, ledger)
    if version == ledger.head:
        return State(version, (), newer=False)
    known = _known(ledger)
    revisions = [revision for revision, _ in known]
    if version is None or version in revisions:
        after = 0 if version is None else revisions.index(version) + 1
        return State(version, tuple(revisions[after:]), newer=False)
    if oldest is not None and oldest in revisions:
        return State(version, (), newer=True)
    raise ConfigError(
        f"{place} was made by a newer version of virtreg: its schema is {version}, "
        f"this version knows up to {ledger.head}"
    )


def _run(connection: Connection, ledger: Ledger, place: str) -> None:
    from alembic import command

    # Others may have done it while we waited for them.
    state = _state(connection, ledger, place)
    if not state.lacking:
        return
    _, oldest = _remembered(connection, ledger)
    config = _config(ledger)
    config.attributes["connection"] = connection
    config.attributes["version_table"] = ledger.version_table
    command.upgrade(config, "head")
    _remember(connection, ledger, _oldest(ledger, state, oldest))


def _oldest(ledger: Ledger, state: State, before: str | None) -> str | None:
    """The oldest revision that works with everything made by now."""
    known = dict(_known(ledger))
    order = list(known)
    bounds = [before or state.version or order[0]]
    bounds += [known[revision] or revision for revision in state.lacking]
    found = max(bounds, key=order.index)
    return None if found == order[-1] else found


def _remember(connection: Connection, ledger: Ledger, oldest: str | None) -> None:
    table = _table(ledger)
    names = {column["name"] for column in inspect(connection).get_columns(ledger.version_table)}
    if "oldest" not in names:
        if oldest is None:
            return
        _add_column(connection, table)
    connection.execute(update(table).values(oldest=oldest))


def _add_column(connection: Connection, table: Table) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    operations = Operations(MigrationContext.configure(connection))
    operations.add_column(table.name, Column("oldest", Text))


def _table(ledger: Ledger) -> Table:
    """Alembic's table, and what is remembered beside."""
    columns: tuple[Column[Any], ...] = (Column("version_num", Text), Column("oldest", Text))
    return Table(ledger.version_table, MetaData(), *columns)


def _known(ledger: Ledger) -> list[tuple[str, str | None]]:
    """Each revision that this version has, in order, and the oldest that works with it."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config(ledger)).walk_revisions()
    known = [(each.revision, getattr(each.module, "oldest", None)) for each in scripts]
    return known[::-1]


def _config(ledger: Ledger) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _literal(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _literal(ledger.scripts))
    return config


def _literal(path: Path) -> str:
    return str(path).replace("%", "%%")

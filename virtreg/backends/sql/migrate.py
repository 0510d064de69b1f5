"""Bring a database to this version's schema, in one transaction."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from attrs import frozen
from sqlalchemy import Connection, String, column, inspect, select, table

from virtreg.backends.sql.database import Database
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


def upgrade(database: Database, ledger: Ledger, place: str) -> None:
    """Run the migrations that ``database`` lacks: all of them, or none when one fails.

    ``place`` names the database in messages. Raises ConfigError for a database of a newer version.
    """
    with database.reading() as connection:
        if version_of(connection, ledger) == ledger.head:
            return
    with _alembic, database.writing() as connection:
        _run(connection, ledger, place)


def version_of(connection: Connection, ledger: Ledger) -> str | None:
    """The revision a database is at; None for one that is new."""
    if not inspect(connection).has_table(ledger.version_table):
        return None
    number = column("version_num", String)
    return connection.scalar(select(number).select_from(table(ledger.version_table, number)))


def _run(connection: Connection, ledger: Ledger, place: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", _literal(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _literal(ledger.scripts))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = ledger.version_table
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    version = version_of(connection, ledger)
    if version is not None and version not in known:
        raise ConfigError(
            f"{place} was made by a newer version of virtreg: its schema is {version}, "
            f"this version knows up to {ledger.head}"
        )
    command.upgrade(config, "head")


def _literal(path: Path) -> str:
    return str(path).replace("%", "%%")

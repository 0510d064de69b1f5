"""Opening a database and bringing it up to date."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from virtreg.backends.sql.database import Database
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.filed import FiledDatabase
from virtreg.backends.sql.migrate import Ledger, upgrade
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.sqlite import alone_in, make_database, sqlite_engine
from virtreg.errors import StorageError


def open_shared(
    server: DatabaseServer, ledger: Ledger, trouble: Trouble, *, alone: str | None = None
) -> Database:
    """What a ledger makes in a database that nodes share, brought up to date if the server object
    says so; the caller closes it, and the server after it. Processes and nodes that do so at one
    time wait for each other. ``alone``: who writes is alone with all of that name.

    Raises ConfigError for a database that is too new, or too old, and StorageError when it cannot
    be asked.
    """
    from virtreg.backends.sql.shared import SharedDatabase

    database = SharedDatabase(server, trouble, alone)
    try:
        upgrade(database, ledger, str(server), allowed=server.upgrade)
    except BaseException:
        database.close()
        raise
    return database


def open_durable(file: Path, ledger: Ledger, trouble: Trouble) -> Database:
    """The database in a file of a local disk, by its absolute path. Makes the folder and the file,
    for the user alone who does, or brings an older one up to date; the caller closes it. Processes
    that do so at one time wait for each other.

    Raises ConfigError for a database made by a newer version, StorageError when the disk or the
    database fails.
    """
    folder = file.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_in(folder):
            return _prepared(file, ledger, trouble)
    except OSError as error:
        raise StorageError(f"cannot use the folder {folder}: {error.strerror}") from error
    except StorageError as error:
        raise StorageError(f"cannot use the folder {folder}: {error.message}") from error


def _prepared(file: Path, ledger: Ledger, trouble: Trouble) -> Database:
    database = FiledDatabase(partial(sqlite_engine, file, durable=True), trouble)
    try:
        with trouble.told("open"):
            make_database(file)
        upgrade(database, ledger, str(file))
    except BaseException:
        database.close()
        raise
    return database

"""Who there is and what they hold: kept in SQLite."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from virtreg.backends.directory.sql import SqlDirectory
from virtreg.backends.sql.database import Database
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.migrate import Ledger, upgrade
from virtreg.backends.sql.sqlite import alone_in, make_database, sqlite_engine
from virtreg.errors import StorageError

__all__ = ["FILE", "LEDGER", "SqlDirectory", "open_directory"]

FILE: Final = "access.sqlite"
"""The database's name in the data folder."""

LEDGER: Final = Ledger(
    Path(__file__).parent / "migrations" / "versions", "virtreg_access_version", "0001"
)

_TROUBLE: Final = Trouble("the access database")


def open_directory(folder: str | Path) -> SqlDirectory:
    """The directory in a folder on a local disk, as ``access.sqlite``.

    Makes the folder and the database, for the user alone who does, or brings an older database up
    to date. Raises ConfigError for one made by a newer version, StorageError when the disk or the
    database fails.
    """
    place = Path(folder).absolute()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_in(place):
            return _prepared(place / FILE)
    except OSError as error:
        raise StorageError(f"cannot use the folder {place}: {error.strerror}") from error
    except StorageError as error:
        raise StorageError(f"cannot use the folder {place}: {error.message}") from error


def _prepared(file: Path) -> SqlDirectory:
    database = Database(partial(sqlite_engine, file, durable=True), _TROUBLE)
    try:
        with _TROUBLE.told("open"):
            make_database(file)
        upgrade(database, LEDGER, str(file))
    except BaseException:
        database.close()
        raise
    return SqlDirectory(database)

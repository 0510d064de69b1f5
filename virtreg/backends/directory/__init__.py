"""Who there is and what they hold: kept in SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from virtreg.backends.directory.sql import SqlDirectory
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.migrate import Ledger
from virtreg.backends.sql.opening import open_durable, open_shared
from virtreg.backends.sql.server import DatabaseServer

__all__ = ["FILE", "LEDGER", "TROUBLE", "SqlDirectory", "open_directory"]

FILE: Final = "access.sqlite"
"""The database's name in the data folder."""

LEDGER: Final = Ledger(
    Path(__file__).parent / "migrations" / "versions", "virtreg_access_version", "0001"
)

TROUBLE: Final = Trouble("the access database")


def open_directory(place: str | Path | DatabaseServer) -> SqlDirectory:
    """The directory in a folder on a local disk, as ``access.sqlite``, or in a database that nodes
    share.

    Makes the folder and the database, for the user alone who does, or brings an older database up
    to date. Raises ConfigError for one made by a newer version, StorageError when the disk or the
    database fails.
    """
    if isinstance(place, DatabaseServer):
        return SqlDirectory(open_shared(place, LEDGER, TROUBLE, alone="access"))
    return SqlDirectory(open_durable(Path(place).absolute() / FILE, LEDGER, TROUBLE))

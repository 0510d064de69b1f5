"""Which source holds which path as which blob: kept in SQLite or PostgreSQL."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from virtreg.backends.index.ledgers import DOWNLOADS, INDEX
from virtreg.backends.index.sql import SqlIndex
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.filed import FiledDatabase
from virtreg.backends.sql.migrate import upgrade
from virtreg.backends.sql.opening import open_shared
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.sqlite import alone_in, make_database, sqlite_engine
from virtreg.errors import ConfigError, IndexUnavailable

__all__ = ["SqlIndex", "open_index"]

_TROUBLE = Trouble("the index", IndexUnavailable)


def open_index(place: str | Path | DatabaseServer) -> SqlIndex:
    """The index in a database that nodes share, or in a folder on a local disk, as
    ``index.sqlite`` and ``downloads.sqlite``.

    Makes what is missing, a folder and its files for the user alone who does, or brings what is
    older up to date. Raises ConfigError for a place that cannot be an index or one made by a newer
    version, IndexUnavailable when the disk or the database fails.
    """
    if isinstance(place, DatabaseServer):
        return _shared(place)
    if isinstance(place, str) and "://" in place:
        raise ConfigError(
            f"no index at {place.partition('://')[0]}:// URLs; give the path of a folder"
        )
    folder = Path(place).absolute()
    if folder.is_file():
        raise ConfigError(f"the index must be a folder, not a file: {folder}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_in(folder):
            return _prepared(folder / "index.sqlite", folder / "downloads.sqlite")
    except OSError as error:
        raise IndexUnavailable(f"cannot use the folder {folder}: {error.strerror}") from error
    except IndexUnavailable as error:
        raise IndexUnavailable(f"cannot use the folder {folder}: {error.message}") from error


def _shared(server: DatabaseServer) -> SqlIndex:
    # Two ledgers, and one database: entries and their counts are read together.
    open_shared(server, DOWNLOADS, _TROUBLE).close()
    index = open_shared(server, INDEX, _TROUBLE)
    return SqlIndex(index, index, index)


def _prepared(index_file: Path, counts_file: Path) -> SqlIndex:
    index = FiledDatabase(partial(sqlite_engine, index_file), _TROUBLE)
    counts = FiledDatabase(partial(sqlite_engine, counts_file), _TROUBLE)
    # Written behind, at most once a second: nobody waits until it is on the disk.
    counted = FiledDatabase(partial(sqlite_engine, counts_file, durable=True), _TROUBLE)
    try:
        for file, database, ledger in (
            (index_file, index, INDEX),
            (counts_file, counts, DOWNLOADS),
        ):
            with _TROUBLE.told("open"):
                make_database(file)
            upgrade(database, ledger, str(file))
    except BaseException:
        for database in (index, counts, counted):
            database.close()
        raise
    return SqlIndex(index, counts, counted)

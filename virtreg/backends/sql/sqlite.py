"""How SQLite is opened: WAL, readers never blocked by the writer, writes that wait their turn."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from virtreg.backends.sql.filed import WRITES

BUSY_SECONDS = 10.0
"""How long a statement waits for another process's write before it gives up."""

_LOGGED_PAGES = 4000
"""How long the log grows until the commit at hand writes it back: as long as a batch that removes
entries makes it, which are written back while nobody waits."""

MAPPED_BYTES = 256 * 1024 * 1024
"""How much of the file is read as memory, which makes a look-up a quarter faster."""


def sqlite_engine(file: Path, *, durable: bool = False) -> Engine:
    """An engine on a database file on a local disk. Opens nothing yet.

    Foreign keys are enforced. ``durable``: what was written is there after a power failure too,
    at the price of a wait for the disk; else the last transactions may be gone, and all of each.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(file)),
        poolclass=QueuePool,
        max_overflow=-1,
        # Transactions are begun below, not where the driver guesses.
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", partial(_connected, "FULL" if durable else "NORMAL"))
    event.listen(engine, "begin", _begin)
    return engine


def make_database(file: Path) -> None:
    """Make the file, for its owner alone, unless it is there, and turn WAL on, which it remembers.
    Raises OSError and sqlite3.Error.

    SQLite does not wait here as it does elsewhere: call it where no other process does.
    """
    # SQLite gives its side files the mode of the database.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes that prepare the same folder waiting (flock). Raises OSError.

    The kernel gives the lock back however the process ends.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _connected(synchronous: str, connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    if synchronous == "FULL":
        # What is worth that wait may be secret, and is overwritten when it goes.
        connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOGGED_PAGES}")
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")


def _begin(connection: Connection) -> None:
    # A transaction that begins by reading and then writes could not wait for its turn.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

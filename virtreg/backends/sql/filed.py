"""A SQLite database in a file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.engine import Dialect

from virtreg.backends.sql.database import Database
from virtreg.backends.sql.faults import DATABASE_ERRORS, Trouble

T = TypeVar("T")

WRITES = "virtreg_writes"
"""Execution option of connections whose transactions write, for the dialect's ``BEGIN``."""


class FiledDatabase(Database):
    """An engine per process, made on first use there.

    ``rows`` keeps as many connections as there ever were readers at once; each serves one reader
    at a time, whichever thread that is. Writers are one at a time, whatever they write.
    """

    def __init__(self, make_engine: Callable[[], Engine], trouble: Trouble) -> None:
        self.trouble = trouble
        self._make_engine = make_engine
        # What a child inherits stays here untouched: closing it would disturb the parent.
        self._processes: dict[int, _Process] = {}
        self._closed = False

    @property
    def dialect(self) -> Dialect:
        return self._here().engine.dialect

    rows_dialect = dialect

    def rows(self, text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        here = self._here()
        try:
            try:
                held = here.idle.pop()
            except IndexError:
                held = here.engine.raw_connection()
            try:
                driver: Any = held.driver_connection
                found: list[tuple[Any, ...]] = driver.execute(text, parameters).fetchall()
            except BaseException:
                held.invalidate()
                raise
        except DATABASE_ERRORS as error:
            raise self.trouble.translated(error, "read") from error
        here.idle.append(held)
        if self._closed:
            here.close()
        return found

    @contextmanager
    def reading(self, **_: bool) -> Iterator[Connection]:
        with self.trouble.told("read"), self._here().engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        here = self._here()
        with self.trouble.told("write"), here.write_lock, here.writer.begin() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T], **_: bool) -> T:
        with self.writing() as connection:
            return work(connection)

    migrating = writing

    def settle(self) -> None:
        # What was written to many places is written back here, where writers go on, or somebody's
        # commit would have to.
        self.rows("PRAGMA wal_checkpoint(PASSIVE)", ())

    def forget(self) -> None:
        """It stands in the log until that is written back and emptied. Waits for readers, but not
        for ever."""
        with (
            self.trouble.told("write"),
            closing(self._here().engine.raw_connection()) as connection,
        ):
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        self._closed = True
        here = self._processes.get(os.getpid())
        if here is not None:
            here.close()

    def _here(self) -> _Process:
        here = self._processes.get(os.getpid())
        if here is None:
            here = self._processes.setdefault(os.getpid(), _Process(self._make_engine()))
        if self._closed:
            raise self.trouble.error(f"{self.trouble.name} is closed")
        return here


class _Process:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.writer = engine.execution_options(**{WRITES: True})
        self.write_lock = Lock()
        self.idle: deque[PoolProxiedConnection] = deque()

    def close(self) -> None:
        while True:
            try:
                self.idle.pop().invalidate()
            except IndexError:
                break
        self.engine.dispose()

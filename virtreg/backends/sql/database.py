"""One database as each process has it open."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection

from virtreg.backends.sql.faults import DATABASE_ERRORS, Trouble

WRITES = "virtreg_writes"
"""Execution option of connections whose transactions write, for the dialect's ``BEGIN``."""


class Database:
    """An engine per process, made on first use there: connections never cross a fork.

    Safe from any thread. ``rows`` keeps as many connections as there ever were readers at once;
    each serves one reader at a time, whichever thread that is. Trouble is raised as ``trouble``
    tells it.
    """

    def __init__(self, make_engine: Callable[[], Engine], trouble: Trouble) -> None:
        self.trouble = trouble
        self._make_engine = make_engine
        # What a child inherits stays here untouched: closing it would disturb the parent.
        self._processes: dict[int, _Process] = {}
        self._closed = False

    @property
    def engine(self) -> Engine:
        return self._here().engine

    def rows(self, text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run one SELECT on the driver's own cursor."""
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
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that only reads."""
        with self.trouble.told("read"), self._here().engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that writes: all of it or nothing, one at a time in a
        process."""
        here = self._here()
        with self.trouble.told("write"), here.write_lock, here.writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close this process's connections; repeatable. What is under way may still end."""
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

"""A part of the PostgreSQL database that nodes share."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, ProgrammingError

from virtreg.backends.sql.database import Database
from virtreg.backends.sql.faults import DATABASE_ERRORS, Trouble, original
from virtreg.backends.sql.pool import BEGIN, SCHEMA, ServerPool, reason
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.timed import NoAnswer
from virtreg.errors import ConfigError, InvalidRequest, VirtregError

T = TypeVar("T")

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"
_STABLE = "BEGIN ISOLATION LEVEL REPEATABLE READ"

_IN_THE_WAY = ("40001", "40P01")
"""A serialization failure and a deadlock: all of the transaction is to be run again."""

_ATTEMPTS = 8

_SILENT = "the database does not answer"

_NOT_ALLOWED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName)
"""The second: a schema that is there and may not be used is passed over."""

_MIGRATION_TIMES = 720.0
"""Times as long as a usual call a migration may take: an hour for a statement."""

_dialect: Any = URL.create("postgresql+psycopg").get_dialect()
_ROWS: Dialect = _dialect(paramstyle="format")


class SharedDatabase(Database):
    """Shares a server's connections with all that is kept there.

    ``alone``: who writes is alone with what has the same name, on all nodes, so that ``writing``
    may decide by what it read.
    """

    def __init__(self, server: DatabaseServer, trouble: Trouble, alone: str | None = None) -> None:
        self.trouble = trouble
        self.server = server
        self._writing = _WRITING
        if alone is not None:
            self._writing += f"; SELECT pg_advisory_xact_lock({_lock_of(alone)})"
        self._closed = False

    @property
    def dialect(self) -> Dialect:
        return self.server.pool().engine.dialect

    @property
    def rows_dialect(self) -> Dialect:
        return _ROWS

    def rows(self, text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._asking("read") as pool:
            return pool.rows(text, parameters)

    @contextmanager
    def reading(self, *, long: bool = False) -> Iterator[Connection]:
        with self._asking("read") as pool, self._transaction(pool, _READING, long) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._asking("write") as pool, self._transaction(pool, self._writing) as connection:
            yield connection

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        stable: bool = False,
        hurried: bool = False,
        long: bool = False,
    ) -> T:
        begin = _STABLE if stable else self._writing
        if hurried:
            begin += "; SET LOCAL synchronous_commit TO off"
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with (
                    self._asking("write") as pool,
                    self._transaction(pool, begin, long) as connection,
                ):
                    return work(connection)
            except VirtregError as error:
                if attempt == _ATTEMPTS or not _in_the_way(error):
                    raise
            # Those who were in each other's way must not meet again.
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
        raise AssertionError("not reached")

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        limits = self.server.limits
        begin = (
            f"{_WRITING}; SET LOCAL statement_timeout TO 0;"
            # Another node may be at it.
            "SET LOCAL lock_timeout TO 0;"
            f"SELECT pg_advisory_xact_lock({_lock_of('migrations')});"
            # Those who read must not wait for us while we wait for others.
            f"SET LOCAL lock_timeout TO {int(limits.lock * 1000)};"
            "SET LOCAL idle_in_transaction_session_timeout TO 0"
        )
        with (
            self._asking("write") as pool,
            self._transaction(pool, begin, times=_MIGRATION_TIMES) as connection,
            _allowed(self.server),
        ):
            # Where an administrator made it, we need not be allowed to.
            if connection.exec_driver_sql(f"SELECT to_regnamespace('{SCHEMA}')").scalar() is None:
                connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
            yield connection

    def close(self) -> None:
        """The server stays open."""
        self._closed = True

    @contextmanager
    def _asking(self, action: str) -> Iterator[ServerPool]:
        """This process's connections, unless the server is known not to answer."""
        if self._closed or self.server.closed:
            raise self.trouble.error(f"{self.trouble.name} is closed")
        pool = self.server.pool()
        with pool.outage.asking() as may:
            if not may:
                raise self.trouble.failed(
                    action, _SILENT, pool.limits.pause, detail=str(self.server)
                )
            try:
                yield pool
            except (*DATABASE_ERRORS, psycopg.Error) as error:
                if pool.lost(error):
                    detail = f"{self.server}: {reason(original(error))}"
                    raise self.trouble.failed(
                        action, _SILENT, pool.limits.pause, detail=detail
                    ) from error
                if _untold(error):
                    refused = InvalidRequest("text with a NUL character")
                    raise self.trouble.translated(refused, action) from error
                raise self.trouble.translated(error, action) from error
            pool.answered()

    @contextmanager
    def _transaction(
        self, pool: ServerPool, begin: str, long: bool = False, times: float = 1.0
    ) -> Iterator[Connection]:
        if long:
            times = pool.limits.long
            limit = int(pool.limits.answer * times * 1000)
            begin += f"; SET LOCAL statement_timeout TO {limit}"
        with ExitStack() as opened:
            try:
                connection = opened.enter_context(_begun(pool, begin, times))
            except DBAPIError as error:
                if not error.connection_invalidated or isinstance(error.orig, NoAnswer):
                    raise
                # It may have been dead for long; nothing is done yet.
                pool.renew()
                connection = opened.enter_context(_begun(pool, begin, times))
            yield connection


@contextmanager
def _allowed(server: DatabaseServer) -> Iterator[None]:
    """Say what an administrator has to do where the role may not make what is missing."""
    try:
        yield
    except ProgrammingError as error:
        cause = original(error)
        if not isinstance(cause, _NOT_ALLOWED):
            raise
        raise ConfigError(
            f"{server}: {cause.diag.message_primary}; the role in storage.database must own the"
            f" schema: have an administrator run `CREATE SCHEMA {SCHEMA} AUTHORIZATION <role>`"
        ) from error


@contextmanager
def _begun(pool: ServerPool, begin: str, times: float) -> Iterator[Connection]:
    with pool.engine.connect() as connection:
        pool.timed(connection.connection, times)
        with connection.execution_options(**{BEGIN: begin}).begin():
            yield connection


def _untold(error: BaseException) -> bool:
    """The driver did not say it to the server at all."""
    cause = original(error)
    return isinstance(cause, psycopg.DataError) and cause.sqlstate is None


def _in_the_way(error: VirtregError) -> bool:
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", "") in _IN_THE_WAY


def _lock_of(name: str) -> int:
    """A key of advisory locks, which are numbers and common to all who use the database."""
    digest = hashlib.sha256(f"virtreg: {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)

"""One process's connections to a PostgreSQL server."""

from __future__ import annotations

import logging
import select
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from virtreg.backends.sql.faults import original
from virtreg.backends.sql.limits import Limits
from virtreg.backends.sql.outage import Outage
from virtreg.backends.sql.timed import Cut, NoAnswer, TimedConnection, Unreachable
from virtreg.errors import ConfigError

BEGIN = "virtreg_begin"
"""Execution option: the statements that begin a transaction."""

SCHEMA = "virtreg"
"""Where all tables are."""

_RECYCLED_SECONDS = 900
"""Age at which a connection is made anew: addresses of a server change."""

_GRACE = 1.0
"""How much longer than the server we wait for what it should have given up itself."""

_DEFAULTS = {
    "application_name": "virtreg",
    "client_encoding": "utf8",
    # A library that looks for Kerberos tickets may wait for the network.
    "gssencmode": "disable",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""Parameters of libpq unless the URL has others."""

_log = logging.getLogger(__name__)


class ServerPool:
    """Connects on first use, and at most ``connections`` times. Safe from any thread; not across a
    fork."""

    def __init__(self, url: URL, connections: int, limits: Limits, name: str) -> None:
        self.limits = limits
        self.outage = Outage(limits.pause, monotonic)
        self._name = name
        self._closed = False
        self._stale_before = 0.0
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=limits.queue,
            pool_recycle=_RECYCLED_SECONDS,
            pool_use_lifo=True,
            use_native_hstore=False,
            hide_parameters=True,
        )
        _, given = self.engine.dialect.create_connect_args(url)
        self._arguments = {**_DEFAULTS, "connect_timeout": limits.connect, **given}
        event.listen(self.engine, "connect", self._connected)
        event.listen(self.engine, "checkout", self._checked_out)
        event.listen(self.engine, "checkin", self._checked_in)
        event.listen(self.engine, "begin", _begin)

    def rows(self, text: str, parameters: Any) -> list[tuple[Any, ...]]:
        """Run one SELECT, prepared, in a transaction of its own."""
        try:
            return self._rows(text, parameters)
        except Cut:
            # It may have been dead for long: nobody tells of a machine that died.
            self.renew()
            return self._rows(text, parameters)

    def _rows(self, text: str, parameters: Any) -> list[tuple[Any, ...]]:
        held = self.engine.raw_connection()
        try:
            driver = self.timed(held)
            found: list[tuple[Any, ...]] = driver.execute(text, parameters, prepare=True).fetchall()
        except BaseException as error:
            cut = isinstance(error, psycopg.Error) and driver.closed
            held.invalidate()
            if cut and not isinstance(error, NoAnswer):
                raise Cut(str(error)) from error
            raise
        held.close()
        return found

    def renew(self) -> None:
        """Use no connection that is open and idle by now."""
        self._stale_before = monotonic()

    def timed(self, held: PoolProxiedConnection, times: float = 1.0) -> TimedConnection:
        """A connection that is held, its time beginning now."""
        driver = held.driver_connection
        assert isinstance(driver, TimedConnection)
        limits = self.limits
        driver.allow(limits.answer * times + _GRACE, limits.total * times)
        return driver

    def lost(self, error: BaseException) -> bool:
        """Whether an error says that the server cannot be asked at all: remembers it then."""
        cause = original(error)
        lost = isinstance(cause, (Unreachable, NoAnswer, Cut)) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        )
        if lost:
            self.renew()
            if self.outage.began():
                _log.warning("%s: %s; asking again until it answers", self._name, reason(cause))
        elif isinstance(cause, psycopg.errors.ReadOnlySqlTransaction):
            # What was the primary server is not any more.
            self.renew()
        return lost

    def answered(self) -> None:
        if self.outage.ended():
            _log.warning("%s answers again", self._name)

    def close(self) -> None:
        self._closed = True
        self.engine.dispose()

    def _connect(self) -> TimedConnection:
        try:
            connection = TimedConnection.connect(**self._arguments, autocommit=True)
        except psycopg.Error as error:
            raise Unreachable(str(error)) from error
        try:
            encoding = connection.info.parameter_status("server_encoding")
            if encoding != "UTF8":
                raise ConfigError(f"{self._name}: its encoding is {encoding}; it must be UTF8")
            connection.allow(self.limits.answer + _GRACE, self.limits.total)
            connection.execute(_session(self.limits))
        except BaseException:
            connection.close()
            raise
        return connection

    def _connected(self, _: object, record: ConnectionPoolEntry) -> None:
        record.info["made_at"] = monotonic()

    def _checked_out(self, driver: TimedConnection, record: ConnectionPoolEntry, _: object) -> None:
        # Between calls a server says nothing but farewell.
        if record.info["made_at"] < self._stale_before or driver.closed or _readable(driver):
            raise DisconnectionError

    def _checked_in(self, driver: TimedConnection | None, _: ConnectionPoolEntry) -> None:
        if self._closed and driver is not None:
            driver.close()


def reason(error: BaseException) -> str:
    """Why a server cannot be used, in few words: never a statement or its parameters."""
    if isinstance(error, Unreachable):
        return f"no connection: {_said(error)}"
    if isinstance(error, NoAnswer):
        return "no answer in time"
    if isinstance(error, Cut):
        return "the connection broke"
    return type(error).__name__


def _said(error: BaseException) -> str:
    """What libpq says of the last address: it names databases and users, and no passwords."""
    text = str(error).strip().splitlines()
    return text[0].rpartition("failed: ")[2] if text else type(error).__name__


def _session(limits: Limits) -> str:
    def milliseconds(seconds: float) -> int:
        return int(seconds * 1000)

    return (
        f"SET search_path TO {SCHEMA};"
        f"SET statement_timeout TO {milliseconds(limits.answer)};"
        f"SET lock_timeout TO {milliseconds(limits.lock)};"
        # What a stopped node holds is let go of.
        f"SET idle_in_transaction_session_timeout TO {milliseconds(limits.total)};"
        "SET jit TO off"
    )


def _readable(driver: TimedConnection) -> bool:
    poll = select.poll()
    poll.register(driver.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[BEGIN])

"""A PostgreSQL database that many processes and nodes share."""

from __future__ import annotations

import os

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from virtreg.errors import ConfigError
from virtreg.model import Secret


class DatabaseServer:
    """Where the index, the catalog and the directory are kept together, in one schema; each
    process has one pool of connections for all of them. Safe from any thread and after a fork.

    Connects to nothing by itself. Raises ConfigError for what is no URL of PostgreSQL, and when
    the driver is not installed; never quoting the URL.
    """

    def __init__(self, url: Secret, connections: int = 16) -> None:
        try:
            parsed = make_url(url.reveal())
        except ArgumentError:
            raise ConfigError("storage.database: is not a URL") from None
        if parsed.get_backend_name() != "postgresql":
            raise ConfigError("storage.database: must begin with postgresql://")
        self._url = parsed.set(drivername="postgresql+psycopg")
        self._connections = connections
        self._engines: dict[int, Engine] = {}

    def __str__(self) -> str:
        """Where it is, for messages; without user and password."""
        return f"PostgreSQL at {self._url.host or 'this host'}/{self._url.database or ''}"

    def engine(self) -> Engine:
        """This process's, for transactions."""
        engine = self._engines.get(os.getpid())
        if engine is None:
            made = create_engine(
                self._url,
                pool_size=self._connections,
                max_overflow=0,
                pool_timeout=5,
                hide_parameters=True,
            )
            engine = self._engines.setdefault(os.getpid(), made)
        return engine

    def close(self) -> None:
        """Close this process's connections; repeatable."""
        engine = self._engines.pop(os.getpid(), None)
        if engine is not None:
            engine.dispose()

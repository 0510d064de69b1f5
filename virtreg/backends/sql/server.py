"""A PostgreSQL database that many processes and nodes share."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from virtreg.backends.sql.limits import Limits
from virtreg.errors import ConfigError
from virtreg.model import Secret

if TYPE_CHECKING:
    from virtreg.backends.sql.pool import ServerPool


class DatabaseServer:
    """Where the index, the catalog and the directory are kept together, in one schema; each
    process has one pool of connections for all of them. Safe from any thread and after a fork.

    Connects to nothing by itself. Raises ConfigError for what is no URL of PostgreSQL, and when
    the driver is not installed; never quoting the URL. Without ``upgrade`` what is opened there
    must be up to date.
    """

    def __init__(
        self,
        url: Secret,
        connections: int = 16,
        *,
        upgrade: bool = True,
        limits: Limits | None = None,
    ) -> None:
        try:
            parsed = make_url(url.reveal())
        except (ArgumentError, ValueError):
            raise ConfigError("storage.database: is not a URL") from None
        if parsed.get_backend_name() != "postgresql":
            raise ConfigError("storage.database: must begin with postgresql://")
        # An unescaped password would be cut in two, and the rest of it told as the host.
        if "@" in f"{parsed.host}{parsed.database}":
            raise ConfigError(
                "storage.database: more than one @; percent-encode what is in its password (@ as"
                " %40, / as %2F)"
            )
        if find_spec("psycopg") is None:
            raise ConfigError("storage.database: needs psycopg; install virtreg[postgres]")
        self.upgrade = upgrade
        self.closed = False
        self._url = parsed
        self._connections = connections
        self.limits = limits or Limits()
        # What a child inherits stays here untouched: closing it would disturb the parent.
        self._pools: dict[int, ServerPool] = {}

    def __str__(self) -> str:
        """Where it is, for messages; without user and password."""
        host, port = self._url.host, self._url.port
        if host and port:
            host = f"{host}:{port}"
        hosts = host or self._url.query.get("host") or "this host"
        where = hosts if isinstance(hosts, str) else ",".join(hosts)
        return f"PostgreSQL at {where}/{self._url.database or ''}"

    def pool(self) -> ServerPool:
        """This process's connections."""
        pool = self._pools.get(os.getpid())
        if pool is None:
            from virtreg.backends.sql.pool import ServerPool

            made = ServerPool(self._url, self._connections, self.limits, str(self))
            pool = self._pools.setdefault(os.getpid(), made)
        return pool

    def close(self) -> None:
        """Close this process's connections; repeatable. What is under way may still end."""
        self.closed = True
        pool = self._pools.get(os.getpid())
        if pool is not None:
            pool.close()

"""A PostgreSQL behind a proxy that breaks connections, and an index there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.faults.proxy import Proxies, Proxy
from tests.postgres import Cluster
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.sql.limits import Limits
from virtreg.backends.sql.server import DatabaseServer
from virtreg.model import Secret

BRIEF = Limits(connect=2, queue=0.5, lock=0.2, answer=0.5, total=4, pause=0)
"""Nobody is kept from asking again at once."""

BRIEFLY = 5.0
"""Seconds that no call takes with these limits, on a slow machine."""

Opens = Callable[..., SqlIndex]


@pytest.fixture
def proxy(postgres: Cluster) -> Iterator[Proxy]:
    with Proxies() as proxies:
        yield proxies.to(postgres.port)


@pytest.fixture
def opens(postgres: Cluster, database_name: str, proxy: Proxy) -> Iterator[Opens]:
    """Opens an index behind the proxy, with given limits and connections."""
    with ExitStack() as opened:

        def opens(limits: Limits = BRIEF, connections: int = 4) -> SqlIndex:
            url = Secret(postgres.url(database_name, proxy.port))
            server = DatabaseServer(url, connections, limits=limits)
            opened.enter_context(closing(server))
            return opened.enter_context(closing(open_index(server)))

        yield opens


@pytest.fixture
def index(opens: Opens) -> SqlIndex:
    return opens()

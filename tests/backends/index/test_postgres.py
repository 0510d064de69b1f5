"""The SQL index on PostgreSQL keeps the contract, and what is special about a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.model import Secret
from virtreg.testing.indexes import EntryIndexSuite

pytestmark = pytest.mark.e2e


@contextmanager
def opened(url: Secret) -> Iterator[SqlIndex]:
    with closing(DatabaseServer(url)) as server, closing(open_index(server)) as index:
        yield index


class TestPostgresIndex(EntryIndexSuite):
    @pytest.fixture(autouse=True)
    def _url(self, database_url: Secret) -> None:
        self.url = database_url

    def open_index(self, folder: Path) -> AbstractContextManager[SqlIndex]:
        return opened(self.url)

"""Where databases are: in a folder, and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from virtreg.backends.sql.database import Database
from virtreg.backends.sql.migrate import ENVIRONMENT, Ledger
from virtreg.backends.sql.server import DatabaseServer

Place = Path | DatabaseServer

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)]
"""Parameters of the fixture ``place``."""


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The folder ``data`` of the test's own, and a database of its own."""
    if request.param == "sqlite":
        yield tmp_path / "data"
        return
    with closing(DatabaseServer(request.getfixturevalue("database_url"), connections=8)) as server:
        yield server


def differences(database: Database, ledger: Ledger, tables: MetaData) -> list[Any]:
    """What the migrations made otherwise than it is declared, and heads that are not the
    ledger's."""

    def ours(name: str | None, kind: str, _: object) -> bool:
        # Others keep their tables in the same database.
        return kind != "table" or name in tables.tables

    with database.reading() as connection:
        options = {
            "version_table": ledger.version_table,
            "compare_type": True,
            "include_name": ours,
        }
        found = compare_metadata(MigrationContext.configure(connection, opts=options), tables)
    scripts = ScriptDirectory(str(ENVIRONMENT), version_locations=[str(ledger.scripts)])
    return [*found, *(head for head in scripts.get_heads() if head != ledger.head)]

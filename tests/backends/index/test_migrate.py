"""Databases are made, brought up to date, or left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from virtreg.backends.index import open_index
from virtreg.backends.index.ledgers import DOWNLOADS, INDEX
from virtreg.backends.index.schema import download_tables, index_tables
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.filed import FiledDatabase
from virtreg.backends.sql.migrate import ENVIRONMENT, Ledger, state_of, upgrade
from virtreg.backends.sql.sqlite import sqlite_engine
from virtreg.errors import ConfigError, IndexUnavailable

TROUBLE = Trouble("the index", IndexUnavailable)

FIRST = """
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("old", sa.Column("name", sa.String))
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.create_table("new", sa.Column("name", sa.String))
    op.drop_table("old")
    op.execute("INSERT INTO nowhere VALUES (1)")
"""


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize(
    ("ledger", "declared"), [(INDEX, index_tables), (DOWNLOADS, download_tables)]
)
def test_the_migrations_make_the_declared_tables(
    ledger: Ledger, declared: MetaData, tmp_path: Path
) -> None:
    with closing(FiledDatabase(partial(sqlite_engine, tmp_path / "db"), TROUBLE)) as database:
        upgrade(database, ledger, "db")
        with database.reading() as connection:
            context = MigrationContext.configure(
                connection, opts={"version_table": ledger.version_table, "compare_type": True}
            )
            assert compare_metadata(context, declared) == []
        assert state_of(database, ledger, "db").version == ledger.head
    scripts = ScriptDirectory(str(ENVIRONMENT), version_locations=[str(ledger.scripts)])
    assert scripts.get_heads() == [ledger.head]


def test_the_tables_with_long_keys_are_kept_without_row_ids(tmp_path: Path) -> None:
    open_index(tmp_path).close()
    for name in ("index", "downloads"):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as connection:
            table = "entries" if name == "index" else name
            (sql,) = connection.execute(
                "SELECT sql FROM sqlite_master WHERE name = ?", (table,)
            ).fetchone()
        assert sql.rstrip().endswith("WITHOUT ROWID")


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_index(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        connection.execute("UPDATE virtreg_index_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(ConfigError, match=r"index\.sqlite was made by a newer version") as caught:
        open_index(tmp_path)
    assert f"its schema is 9999, this version knows up to {INDEX.head}" in caught.value.message
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        found = connection.execute("SELECT version_num FROM virtreg_index_version").fetchall()
    assert found == [("9999",)]


def test_a_migration_that_fails_midway_leaves_the_old_schema(tmp_path: Path) -> None:
    scripts = tmp_path / "100% odd: folder"
    scripts.mkdir()
    (scripts / "0001_first.py").write_text(FIRST)
    file = tmp_path / "db"
    with closing(FiledDatabase(partial(sqlite_engine, file), TROUBLE)) as database:
        upgrade(database, Ledger(scripts, "version", "0001"), "db")
        before = tables(file)
        assert before >= {"old", "version"}
        (scripts / "0002_second.py").write_text(SECOND)
        with pytest.raises(IndexUnavailable, match="cannot write the index: SQLITE_ERROR"):
            upgrade(database, Ledger(scripts, "version", "0002"), "db")
        assert tables(file) == before
        assert state_of(database, Ledger(scripts, "version", "0002"), "db").version == "0001"


def test_opening_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_index(tmp_path).close()
    assert capfd.readouterr() == ("", "")

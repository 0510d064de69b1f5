"""Schemas are made once by whoever comes first, and nodes of two versions work side by side."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text
from sqlalchemy.schema import SchemaItem

from tests.postgres import Cluster
from virtreg.backends.index import open_index
from virtreg.backends.index.ledgers import DOWNLOADS, INDEX
from virtreg.backends.index.schema import download_tables, index_tables
from virtreg.backends.sql.database import Database
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.filed import FiledDatabase
from virtreg.backends.sql.migrate import Ledger, state_of, upgrade
from virtreg.backends.sql.opening import open_shared
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.shared import SharedDatabase
from virtreg.backends.sql.sqlite import sqlite_engine
from virtreg.errors import ConfigError, StorageError
from virtreg.model import Secret
from virtreg.testing.indexes import entry_of

TROUBLE = Trouble("the notes")
TOO_NEW = "was made by a newer version of virtreg: its schema is {}, this version knows up to {}"
PROCESSES = 4

MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision = "{revision}"
down_revision = {before!r}
{oldest}
def upgrade():
    {change}
"""
CHANGES = [
    'op.create_table("notes", sa.Column("name", sa.String))',
    'op.add_column("notes", sa.Column("second", sa.String))',
    'op.add_column("notes", sa.Column("third", sa.String))',
    'op.drop_column("notes", "name")',
]


def ledger(folder: Path, versions: int, oldest: dict[int, str]) -> Ledger:
    """As of a version of virtreg: with so many migrations."""
    scripts = folder / f"version-{versions}"
    scripts.mkdir(exist_ok=True)
    for number in range(1, versions + 1):
        script = MIGRATION.format(
            revision=f"{number:04}",
            before=f"{number - 1:04}" if number > 1 else None,
            oldest=f"oldest = {oldest[number]!r}" if number in oldest else "",
            change=CHANGES[number - 1],
        )
        (scripts / f"{number:04}.py").write_text(script)
    return Ledger(scripts, "notes_version", f"{versions:04}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        with closing(FiledDatabase(partial(sqlite_engine, tmp_path / "db"), TROUBLE)) as filed:
            yield filed
        return
    url: Secret = request.getfixturevalue("database_url")
    with closing(DatabaseServer(url)) as server:
        yield SharedDatabase(server, TROUBLE)


def version(database: Database, of: Ledger) -> str | None:
    return state_of(database, of, "db").version


def test_an_older_node_goes_on_where_a_newer_one_says_so(
    database: Database, tmp_path: Path
) -> None:
    oldest = {2: "0001", 3: "0002"}
    first, second, third = (ledger(tmp_path, versions, oldest) for versions in (1, 2, 3))
    upgrade(database, first, "db")
    state = state_of(database, second, "db")
    assert (state.version, state.lacking, state.newer) == ("0001", ("0002",), False)
    upgrade(database, second, "db")
    upgrade(database, first, "db")
    state = state_of(database, first, "db")
    assert (state.version, state.lacking, state.newer) == ("0002", (), True)
    assert version(database, first) == "0002"
    upgrade(database, third, "db")
    upgrade(database, second, "db")
    with pytest.raises(ConfigError, match=TOO_NEW.format("0003", "0001")):
        upgrade(database, first, "db")


def test_all_steps_between_two_versions_count(database: Database, tmp_path: Path) -> None:
    oldest = {2: "0001", 4: "0001"}
    first, second, third, fourth = (ledger(tmp_path, number, oldest) for number in (1, 2, 3, 4))
    upgrade(database, fourth, "db")
    upgrade(database, third, "db")
    for older, head in ((second, "0002"), (first, "0001")):
        with pytest.raises(ConfigError, match=TOO_NEW.format("0004", head)):
            upgrade(database, older, "db")


def test_a_migration_that_says_nothing_ends_what_was_said_before(
    database: Database, tmp_path: Path
) -> None:
    first, second, third = (ledger(tmp_path, number, {2: "0001"}) for number in (1, 2, 3))
    upgrade(database, second, "db")
    upgrade(database, first, "db")
    upgrade(database, third, "db")
    with pytest.raises(ConfigError, match=TOO_NEW.format("0003", "0002")):
        upgrade(database, second, "db")


def test_what_may_not_be_upgraded_is_left_alone(database: Database, tmp_path: Path) -> None:
    first, second = (ledger(tmp_path, number, {}) for number in (1, 2))
    with pytest.raises(ConfigError, match=r"it lacks 0001. Run `virtreg db upgrade`"):
        upgrade(database, first, "db", allowed=False)
    assert version(database, first) is None
    upgrade(database, first, "db")
    upgrade(database, first, "db", allowed=False)
    with pytest.raises(ConfigError, match=r"^db is not up to date: of notes_version it lacks 0002"):
        upgrade(database, second, "db", allowed=False)
    assert version(database, first) == "0001"


@pytest.mark.e2e
def test_a_migration_that_fails_midway_leaves_the_old_schema(
    database_url: Secret, tmp_path: Path
) -> None:
    first, broken = ledger(tmp_path, 1, {}), ledger(tmp_path, 2, {})
    with (broken.scripts / "0002.py").open("a") as script:
        script.write('    op.execute("INSERT INTO nowhere VALUES (1)")\n')
    with closing(DatabaseServer(database_url)) as server:
        open_shared(server, first, TROUBLE).close()
        with pytest.raises(StorageError, match="cannot write the notes: UndefinedTable"):
            open_shared(server, broken, TROUBLE)
        database = SharedDatabase(server, TROUBLE)
        assert version(database, first) == "0001"
        assert database.rows("SELECT * FROM notes", ()) == []


def open_at_once(url: str, start: Barrier, number: int) -> str:
    start.wait(60)
    with closing(DatabaseServer(Secret(url))) as server, closing(open_index(server)) as index:
        index.put([entry_of(f"{number}")])
        return index.find(f"{number}", ["central"])[0].path


@pytest.mark.e2e
def test_processes_that_start_at_once_share_one_new_database(database_url: Secret) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as shared, spawn.Pool(PROCESSES) as pool:
        start = shared.Barrier(PROCESSES)
        asked = [(database_url.reveal(), start, number) for number in range(PROCESSES)]
        assert pool.starmap(open_at_once, asked, chunksize=1) == ["0", "1", "2", "3"]
        pool.close()
        pool.join()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("ledger", "declared"), [(INDEX, index_tables), (DOWNLOADS, download_tables)]
)
def test_the_migrations_make_the_declared_tables(
    ledger: Ledger, declared: MetaData, database_url: Secret
) -> None:
    def ours(item: SchemaItem, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or name in declared.tables

    with (
        closing(DatabaseServer(database_url)) as server,
        closing(open_index(server)),
    ):
        database = SharedDatabase(server, TROUBLE)
        with database.reading() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": ledger.version_table,
                    "compare_type": True,
                    "include_object": ours,
                },
            )
            assert compare_metadata(context, declared) == []
        assert version(database, ledger) == ledger.head


@pytest.mark.e2e
def test_every_text_is_ordered_by_code_point(database_url: Secret) -> None:
    with closing(DatabaseServer(database_url)) as server, closing(open_index(server)):
        found = SharedDatabase(server, TROUBLE).rows(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'virtreg' AND data_type = 'character varying'"
            " AND collation_name IS DISTINCT FROM 'C'",
            (),
        )
    assert {table for table, _ in found} <= {INDEX.version_table, DOWNLOADS.version_table}


@pytest.mark.e2e
def test_a_role_that_may_make_nothing_uses_a_schema_made_for_it(
    postgres: Cluster, database_name: str, database_url: Secret
) -> None:
    with psycopg.connect(postgres.url(database_name), autocommit=True) as owner:
        owner.execute("CREATE SCHEMA virtreg AUTHORIZATION CURRENT_USER")
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with postgres.administer() as connection:
        connection.execute(f"ALTER DATABASE {database_name} OWNER TO postgres")
    with closing(DatabaseServer(database_url)) as server, closing(open_index(server)) as index:
        index.put([entry_of("p")])
        assert index.find("p", ["central"]) == [entry_of("p")]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("SELECT 1", "permission denied for database {}; the role in storage.database must own"),
        (
            "CREATE SCHEMA virtreg",
            "no schema has been selected to create in; the role in storage.database must own",
        ),
    ],
)
def test_who_may_make_no_schema_hears_who_has_to(
    postgres: Cluster, database_name: str, database_url: Secret, made: str, said: str
) -> None:
    with postgres.administer() as connection:
        connection.execute(f"ALTER DATABASE {database_name} OWNER TO postgres")
    with postgres.administer(database_name) as administrator:
        administrator.execute(made)
    with (
        closing(DatabaseServer(database_url)) as server,
        pytest.raises(ConfigError, match=said.format(database_name)),
    ):
        open_index(server)


@pytest.mark.e2e
def test_a_database_of_another_encoding_is_refused(postgres: Cluster) -> None:
    with postgres.administer() as connection:
        connection.execute(
            "CREATE DATABASE latin OWNER virtreg TEMPLATE template0 ENCODING 'LATIN1'"
            " LOCALE_PROVIDER libc LOCALE 'C'"
        )
    try:
        with (
            closing(DatabaseServer(Secret(postgres.url("latin")))) as server,
            pytest.raises(ConfigError, match="its encoding is LATIN1; it must be UTF8"),
        ):
            open_index(server)
    finally:
        with postgres.administer() as connection:
            connection.execute("DROP DATABASE latin WITH (FORCE)")


@pytest.mark.e2e
def test_a_long_call_may_take_longer(database_url: Secret) -> None:
    with closing(DatabaseServer(database_url)) as server:
        database = SharedDatabase(server, TROUBLE)

        def limits(long: bool) -> list[object]:
            with database.reading(long=long) as connection:
                asked = ("statement_timeout", "lock_timeout", "search_path")
                return [connection.scalar(text(f"SHOW {name}")) for name in asked]

        assert limits(long=False) == ["5s", "4s", "virtreg"]
        assert limits(long=True) == ["100s", "4s", "virtreg"]
        assert limits(long=False) == ["5s", "4s", "virtreg"]

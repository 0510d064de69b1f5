"""What the page about PostgreSQL says to run makes what nodes need."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg
import pytest
from psycopg import sql

from tests.docs.running import ROOT
from tests.postgres import USER, Cluster, free_port, postgres_cluster
from virtreg.backends.index import open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.model import Secret
from virtreg.testing.indexes import entry_of

pytestmark = pytest.mark.e2e

PAGE = (ROOT / "docs" / "how-to" / "postgresql.md").read_text()
ROLE_AND_DATABASE, SCHEMA = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)
PASSWORD = "something long and random"


def run(cluster: Cluster, statements: str, database: str) -> None:
    with psycopg.connect(
        host=str(cluster.folder),
        port=cluster.port,
        user="postgres",
        dbname=database,
        autocommit=True,
    ) as connection:
        for statement in statements.strip().splitlines():
            connection.execute(statement.encode())


def works(url: str) -> None:
    with closing(DatabaseServer(Secret(url))) as server, closing(open_index(server)) as index:
        index.put([entry_of("p")])
        assert index.find("p", ["central"]) == [entry_of("p")]


def test_a_role_and_a_database_are_enough() -> None:
    with postgres_cluster() as cluster:
        with cluster.administer() as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(USER)))
        run(cluster, ROLE_AND_DATABASE, "postgres")
        password = PASSWORD.replace(" ", "%20")
        works(f"postgresql://virtreg:{password}@127.0.0.1:{cluster.port}/virtreg")


def test_so_is_a_schema_in_a_database_of_others() -> None:
    with postgres_cluster() as cluster:
        run(cluster, SCHEMA, "postgres")
        works(cluster.url("postgres"))
        works(f"postgresql://virtreg@/postgres?host={cluster.folder}&port={cluster.port}")


def test_the_first_of_several_servers_that_takes_writes_is_used() -> None:
    shape = re.search(r"`(postgresql://\S+target_session_attrs=read-write)`", PAGE)
    assert shape is not None
    with postgres_cluster() as cluster, cluster.database() as name:
        url = cluster.url(name)
        login = url.removeprefix("postgresql://").partition("@")[0]
        works(
            shape[1]
            .replace("virtreg:PASSWORD", login)
            .replace("/virtreg?", f"/{name}?")
            .replace("a.example.org:5432", f"127.0.0.1:{free_port()}")
            .replace("b.example.org:5432", f"127.0.0.1:{cluster.port}")
        )

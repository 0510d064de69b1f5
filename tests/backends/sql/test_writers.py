"""Writers on one PostgreSQL: in each other's way, one at a time, broken off, forked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Event

import psycopg
import pytest
from attrs import evolve
from sqlalchemy import Connection, text

from tests.backends.sql.conftest import BRIEF
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.sql.shared import SharedDatabase
from virtreg.errors import Conflict, IndexUnavailable, InvalidRequest, StorageError
from virtreg.model import Secret
from virtreg.testing.indexes import entry_of

pytestmark = pytest.mark.e2e

TROUBLE = Trouble("the numbers")

FORK = """
import os, sys
from virtreg.backends.index import open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.model import Secret
from virtreg.testing.indexes import entry_of
server = DatabaseServer(Secret(sys.stdin.read()))
index = open_index(server)
index.put([entry_of("parent")])
assert index.find("parent", ["central"])
child = os.fork()
if child == 0:
    assert index.find("parent", ["central"]) == [entry_of("parent")]
    index.put([entry_of("child")])
    index.close()
    server.close()
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert index.find("child", ["central"]) == [entry_of("child")]
index.put([entry_of("parent")])
index.close()
server.close()
"""


@pytest.fixture
def server(database_url: Secret) -> Iterator[DatabaseServer]:
    limits = evolve(BRIEF, queue=30, lock=30, answer=30, total=60)
    with closing(DatabaseServer(database_url, 12, limits=limits)) as server:
        yield server


@pytest.fixture
def index(server: DatabaseServer) -> Iterator[SqlIndex]:
    with closing(open_index(server)) as index:
        yield index


@pytest.fixture
def database(server: DatabaseServer) -> Iterator[SharedDatabase]:
    """With two numbers, both 0."""
    with closing(SharedDatabase(server, TROUBLE)) as database:
        with database.migrating() as connection:
            connection.execute(text("CREATE TABLE numbers (id INTEGER PRIMARY KEY, of_it BIGINT)"))
            connection.execute(text("INSERT INTO numbers VALUES (1, 0), (2, 0)"))
        yield database


def add(connection: Connection, number: int) -> None:
    connection.execute(
        text("UPDATE numbers SET of_it = of_it + 1 WHERE id = :number"), {"number": number}
    )


def numbers(database: SharedDatabase) -> list[int]:
    return [found for (found,) in database.rows("SELECT of_it FROM numbers ORDER BY id", ())]


def test_who_is_in_a_deadlock_tries_again(database: SharedDatabase) -> None:
    met = Barrier(2)
    tries: list[int] = []

    def cross(first: int) -> None:
        def work(connection: Connection) -> None:
            tries.append(first)
            add(connection, first)
            if len(tries) <= 2:
                met.wait(30)
            add(connection, 3 - first)

        database.write(work)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(cross, (1, 2)))
    assert numbers(database) == [2, 2]
    assert len(tries) == 3


def test_who_decides_by_what_changes_meanwhile_tries_again(database: SharedDatabase) -> None:
    seen: list[int] = []

    def work(connection: Connection) -> None:
        seen.append(connection.scalar(text("SELECT of_it FROM numbers WHERE id = 1")) or 0)
        if len(seen) == 1:
            database.write(lambda other: add(other, 1))
        connection.execute(
            text("UPDATE numbers SET of_it = :seen + 10 WHERE id = 1"), {"seen": seen[-1]}
        )

    database.write(work, stable=True)
    assert seen == [0, 1]
    assert numbers(database) == [11, 0]


def test_who_is_always_in_the_way_gives_up(database: SharedDatabase) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("SELECT of_it FROM numbers")).all()
        database.write(lambda other: add(other, 1))
        add(connection, 1)

    with pytest.raises(StorageError, match="cannot write the numbers: SerializationFailure"):
        database.write(work, stable=True)


def test_writers_of_one_name_are_alone(server: DatabaseServer, database: SharedDatabase) -> None:
    alone = SharedDatabase(server, TROUBLE, alone="numbers")
    start = Barrier(8)

    def work(_: int) -> None:
        start.wait(30)
        for _ in range(10):
            with alone.writing() as connection:
                seen = connection.scalar(text("SELECT of_it FROM numbers WHERE id = 1"))
                assert seen is not None
                connection.execute(
                    text("UPDATE numbers SET of_it = :after WHERE id = 1"), {"after": seen + 1}
                )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert numbers(database) == [80, 0]


def test_a_reader_sees_one_state_of_everything(database: SharedDatabase) -> None:
    with database.reading() as connection:
        before = connection.scalar(text("SELECT of_it FROM numbers WHERE id = 1"))
        database.write(lambda other: add(other, 1))
        database.write(lambda other: add(other, 2))
        after = connection.scalars(text("SELECT of_it FROM numbers")).all()
    assert (before, after) == (0, [0, 0])
    assert numbers(database) == [1, 1]


def test_who_only_reads_cannot_write(database: SharedDatabase) -> None:
    with (
        pytest.raises(StorageError, match="cannot read the numbers: ReadOnlySqlTransaction"),
        database.reading() as connection,
    ):
        add(connection, 1)
    assert numbers(database) == [0, 0]


def test_what_is_hurried_alone_is_not_waited_for(database: SharedDatabase) -> None:
    def setting(connection: Connection) -> str:
        return str(connection.scalar(text("SHOW synchronous_commit")))

    assert database.write(setting) == "on"
    assert database.write(setting, hurried=True) == "off"
    assert database.write(setting) == "on"


def test_an_error_of_ours_undoes_all(database: SharedDatabase) -> None:
    def work(connection: Connection) -> None:
        add(connection, 1)
        raise Conflict("no")

    with pytest.raises(Conflict):
        database.write(work)
    with pytest.raises(Conflict), database.writing() as connection:
        work(connection)
    assert numbers(database) == [0, 0]


def test_a_session_that_is_ended_amid_a_transaction_undoes_it(
    index: SqlIndex, server: DatabaseServer, database_url: Secret
) -> None:
    index.put([entry_of("p")])

    def work(connection: Connection) -> None:
        connection.execute(text("DELETE FROM entries"))
        mine = connection.scalar(text("SELECT pg_backend_pid()"))
        with psycopg.connect(database_url.reveal(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", (mine,))
        connection.execute(text("DELETE FROM entries"))

    with pytest.raises(StorageError, match=r"cannot write the numbers: .*answer: PostgreSQL at"):
        SharedDatabase(server, TROUBLE).write(work)
    assert index.find("p", ["central"]) == [entry_of("p")]


def test_entries_put_and_dropped_by_many_at_once_stay_whole(index: SqlIndex) -> None:
    paths = [f"{number:03}" for number in range(60)]
    start, stop = Barrier(5), Event()

    def put(number: int) -> None:
        start.wait(30)
        order = paths[number * 7 :] + paths[: number * 7]
        for version in range(25):
            index.put([entry_of(path, version=version) for path in order[::-1]])
            index.count({("central", path): (1, 5.0) for path in order})

    def drop(_: int) -> int:
        start.wait(30)
        gone = 0
        while not stop.is_set():
            gone += index.drop("central", "007")
            gone += index.drop_some("central", 5)
            gone += len(index.drop_entries([(each, None) for each in index.page("central")]))
        return gone

    with ThreadPoolExecutor(5) as threads:
        dropping = threads.submit(drop, 0)
        list(threads.map(put, range(4)))
        stop.set()
        dropping.result()
    for entry in index.page("central", limit=1000):
        assert entry == entry_of(entry.path, version=entry.size)
    index.put([entry_of(path) for path in paths])
    assert len(index.page("central", limit=1000)) == 60


@pytest.mark.parametrize("bad", ["\udc80", "a\0b"])
def test_text_that_is_not_kept_is_refused(index: SqlIndex, bad: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot read the index"):
        index.find(bad, ["central"])
    with pytest.raises(InvalidRequest, match="cannot read the index"):
        index.page("central", search=bad)
    with pytest.raises(InvalidRequest, match="cannot write the index"):
        index.put([entry_of(bad)])
    with pytest.raises(InvalidRequest):
        index.downloads_of([("central", bad)])
    index.put([entry_of("p")])


def test_an_index_opened_before_a_fork_works_on_both_sides(database_url: Secret) -> None:
    command = [sys.executable, "-W", "error", "-c", FORK]
    done = subprocess.run(command, input=database_url.reveal(), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_closed_is_not_asked(server: DatabaseServer) -> None:
    index = open_index(server)
    index.close()
    index.close()
    with pytest.raises(IndexUnavailable, match="the index is closed"):
        index.find("p", ["central"])
    other = open_index(server)
    server.close()
    server.close()
    with pytest.raises(IndexUnavailable, match="the index is closed"):
        other.put([entry_of("p")])


def test_a_call_under_way_ends_after_closing(
    server: DatabaseServer, database: SharedDatabase, database_url: Secret
) -> None:
    with database.writing() as connection:
        add(connection, 1)
        server.close()
        add(connection, 1)
    with closing(DatabaseServer(database_url)) as again:
        assert numbers(SharedDatabase(again, TROUBLE)) == [2, 0]

"""No call outlives its limit, whatever the server or the network does, and all is well after."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Literal

import pytest
from attrs import evolve

from tests.backends.sql.conftest import BRIEF, BRIEFLY, Opens
from tests.faults.fault import Fault
from tests.faults.proxy import Proxy
from tests.postgres import Cluster
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.errors import IndexUnavailable
from virtreg.model import Entry, Secret
from virtreg.testing.indexes import entry_of

pytestmark = pytest.mark.e2e

ENTRY = entry_of("p")
LEFT_ALONE = evolve(BRIEF, pause=1000.0)


@contextmanager
def taking_less_than(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def sessions(postgres: Cluster, name: str) -> list[int]:
    """Process ids of the server's, one for each of our connections."""
    with postgres.administer() as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", (name,))
        return [pid for (pid,) in rows]


def end_sessions(postgres: Cluster, name: str) -> None:
    """Returns when they are gone."""
    with postgres.administer() as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
            (name,),
        ).fetchall()
    assert ended
    assert set(ended) == {(True,)}


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    "fault", [Fault("stall"), Fault("stall", side="request"), Fault("slow", rate=20)], ids=str
)
def test_an_answer_that_does_not_come_ends_the_call(
    index: SqlIndex, proxy: Proxy, fault: Fault
) -> None:
    index.put([ENTRY])
    proxy.inject(fault)
    with taking_less_than(BRIEFLY), pytest.raises(IndexUnavailable) as caught:
        index.find("p", ["central"])
    assert str(caught.value).endswith("no answer in time")
    assert caught.value.retry_after is not None
    with taking_less_than(BRIEFLY), pytest.raises(IndexUnavailable):
        index.put([ENTRY])
    proxy.heal()
    assert index.find("p", ["central"]) == [ENTRY]


def test_a_server_that_failed_is_left_alone(opens: Opens, proxy: Proxy) -> None:
    index = opens(LEFT_ALONE)
    proxy.inject(Fault("stall"))
    with pytest.raises(IndexUnavailable, match="no answer in time"):
        index.find("p", ["central"])
    accepted = proxy.accepted
    with taking_less_than(0.5):
        for _ in range(20):
            with pytest.raises(IndexUnavailable, match="does not answer") as caught:
                index.find("p", ["central"])
            assert caught.value.retry_after == LEFT_ALONE.pause
            with pytest.raises(IndexUnavailable, match="does not answer"):
                index.put([ENTRY])
    assert proxy.accepted == accepted


def test_a_session_that_is_stopped_ends_the_call(
    index: SqlIndex, postgres: Cluster, database_name: str
) -> None:
    index.put([ENTRY])
    with stopped(*sessions(postgres, database_name)), taking_less_than(BRIEFLY):
        with pytest.raises(IndexUnavailable, match="no answer in time"):
            index.find("p", ["central"])
        assert index.find("p", ["central"]) == [ENTRY]


def test_a_server_that_is_stopped_lets_nobody_wait_for_a_connection(
    index: SqlIndex, postgres: Cluster, database_name: str
) -> None:
    pids = sessions(postgres, database_name)
    with stopped(postgres.pid, *pids):
        for _ in range(2):
            with taking_less_than(BRIEFLY), pytest.raises(IndexUnavailable) as caught:
                index.find("p", ["central"])
    assert "no connection: connection timeout expired" in str(caught.value)
    assert index.find("p", ["central"]) == []


def test_a_lock_that_another_holds_ends_the_wait(
    index: SqlIndex, postgres: Cluster, database_name: str
) -> None:
    with DatabaseLock(postgres, database_name), taking_less_than(BRIEFLY):
        with pytest.raises(IndexUnavailable, match="cannot write the index: LockNotAvailable"):
            index.put([ENTRY])
        assert index.find("p", ["central"]) == []
    index.put([ENTRY])


def test_many_threads_share_few_connections(opens: Opens, proxy: Proxy) -> None:
    index = opens(evolve(BRIEF, queue=60, answer=60, total=60), 4)

    def use(number: int) -> list[Entry]:
        index.put([entry_of(f"{number}")])
        return index.find(f"{number}", ["central"])

    with ThreadPoolExecutor(200) as threads:
        found = list(threads.map(use, range(400)))
    assert found == [[entry_of(f"{number}")] for number in range(400)]
    assert proxy.accepted <= 4


def test_a_stall_lets_every_thread_go_in_time(opens: Opens, proxy: Proxy) -> None:
    index = opens(LEFT_ALONE, 4)
    proxy.inject(Fault("stall"))

    def use(_: int) -> str:
        with taking_less_than(BRIEFLY), pytest.raises(IndexUnavailable) as caught:
            index.find("p", ["central"])
        return caught.value.message

    with ThreadPoolExecutor(200) as threads:
        assert len(list(threads.map(use, range(400)))) == 400


def test_after_a_stall_all_threads_work_again(opens: Opens, proxy: Proxy) -> None:
    index = opens(evolve(BRIEF, queue=60), 4)
    index.put([ENTRY])
    proxy.inject(Fault("stall"))

    def use(_: int) -> list[Entry] | str:
        try:
            return index.find("p", ["central"])
        except IndexUnavailable as error:
            return error.message

    with ThreadPoolExecutor(50) as threads:
        assert all(isinstance(found, str) for found in threads.map(use, range(8)))
        proxy.heal()
        list(threads.map(use, range(50)))
        assert list(threads.map(use, range(200))) == [[ENTRY]] * 200


def test_a_connection_that_breaks_amid_a_transaction_undoes_it(
    index: SqlIndex, proxy: Proxy
) -> None:
    index.put([ENTRY])
    for fault in (Fault("reset", after=40), Fault("cut", after=40)):
        proxy.inject(fault)
        with pytest.raises(IndexUnavailable, match="cannot write the index"):
            index.put([entry_of(f"{number}") for number in range(50)])
        proxy.heal()
        assert index.page("central") == [ENTRY]


def test_connections_that_broke_between_calls_are_not_noticed(
    database_url: Secret, postgres: Cluster, database_name: str
) -> None:
    with closing(DatabaseServer(database_url)) as server, closing(open_index(server)) as index:
        index.put([ENTRY])
        for _ in range(3):
            end_sessions(postgres, database_name)
            assert index.find("p", ["central"]) == [ENTRY]
            end_sessions(postgres, database_name)
            index.put([ENTRY])


@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_connection_that_turns_out_to_be_dead_is_made_anew(
    index: SqlIndex, proxy: Proxy, kind: Literal["cut", "reset"]
) -> None:
    index.put([ENTRY])
    for _ in range(3):
        proxy.inject(Fault(kind, times=1))
        assert index.find("p", ["central"]) == [ENTRY]
        proxy.inject(Fault(kind, times=1))
        index.put([ENTRY])


def test_a_server_that_cannot_be_reached_says_why(
    postgres: Cluster, database_name: str, proxy: Proxy
) -> None:
    url = postgres.url(database_name, proxy.port)
    wrong = Secret(url.replace(":virtreg-test-password", ":hunter2"))
    with pytest.raises(IndexUnavailable) as caught:
        open_index(DatabaseServer(wrong, limits=BRIEF))
    assert "password authentication failed" in str(caught.value)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
    proxy.inject(Fault("refuse"))
    with pytest.raises(IndexUnavailable) as caught:
        open_index(DatabaseServer(Secret(url), limits=BRIEF))
    # Where it is is for who runs the server.
    assert caught.value.message == "cannot read the index: the database does not answer"
    assert str(caught.value) == (
        f"{caught.value.message}: PostgreSQL at 127.0.0.1:{proxy.port}/{database_name}: "
        "no connection: Connection refused"
    )


class DatabaseLock:
    """Held on the entries against writers."""

    def __init__(self, postgres: Cluster, name: str) -> None:
        import psycopg

        self._connection = psycopg.connect(postgres.url(name))

    def __enter__(self) -> None:
        self._connection.execute("LOCK TABLE virtreg.entries IN SHARE MODE")

    def __exit__(self, *_: object) -> None:
        self._connection.close()

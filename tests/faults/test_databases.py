"""A database that breaks while all kinds of things are under way: what is asked meanwhile gets the
right bytes or an error that says when to come back, and nothing of it is remembered."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from attrs import define, field, frozen

from tests.e2e.processes import until
from tests.faults.fault import Fault
from tests.faults.ground import Moment, agree, ground, happening, slots_for
from tests.faults.judging import Judge
from tests.faults.proxy import Proxies, Proxy
from tests.faults.stage import HITS, STAGES
from tests.faults.tally import Tally
from tests.postgres import Cluster, postgres_cluster
from virtreg.backends.vault import new_key

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

LIMIT = 40.0
"""Seconds: what is said to a database has its own limits, besides those of the upstreams."""


@define
class Site:
    """A database of a server of its own, and the proxy that virtreg reaches it by."""

    cluster: Cluster
    proxy: Proxy
    name: str
    locks: list[psycopg.Connection[tuple[object, ...]]] = field(factory=list)

    def administer(self, statement: str) -> None:
        with self.cluster.administer() as connection:
            connection.execute(statement.encode())

    def end_connections(self) -> None:
        self.administer(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
        )

    def read_only(self, on: str) -> None:
        self.administer(f"ALTER DATABASE {self.name} SET default_transaction_read_only = {on}")
        self.end_connections()

    def full(self, most: int) -> None:
        """Take so many connections and no more; -1 is as many as the server does."""
        self.administer(f"ALTER DATABASE {self.name} CONNECTION LIMIT {most}")
        self.end_connections()

    def lock(self) -> None:
        """Let nobody read or write what is known of the cache."""
        connection = psycopg.connect(
            host=str(self.cluster.folder),
            port=self.cluster.port,
            user="postgres",
            dbname=self.name,
        )
        connection.execute("LOCK TABLE virtreg.entries IN ACCESS EXCLUSIVE MODE")
        self.locks.append(connection)

    def unlock(self) -> None:
        for connection in self.locks:
            connection.close()
        self.locks.clear()

    def restart(self, how: signal.Signals) -> None:
        self.cluster.stop(how)
        self.cluster.start()


@frozen
class Trouble:
    name: str
    inject: Callable[[Site], None] = field(repr=False)
    heal: Callable[[Site], None] = field(repr=False)
    moments: tuple[Moment, ...] = ("idle",)
    proxied: bool = False


def _by_proxy(name: str, fault: Fault, *moments: Moment) -> Trouble:
    return Trouble(
        f"database: {name}",
        lambda site: site.proxy.inject(fault),
        lambda site: site.proxy.heal(),
        ("idle", *moments),
        proxied=True,
    )


TROUBLES = (
    _by_proxy("refused", Fault("refuse"), "middle", "last"),
    _by_proxy("ignored", Fault("ignore"), "middle"),
    _by_proxy("cut before answers", Fault("cut"), "middle", "last"),
    _by_proxy("reset before answers", Fault("reset")),
    _by_proxy("cut amid answers", Fault("cut", 200)),
    _by_proxy("reset amid requests", Fault("reset", 100, side="request")),
    _by_proxy("stalled", Fault("stall"), "middle", "last"),
    _by_proxy("stalled amid answers", Fault("stall", 100)),
    _by_proxy("stalled amid requests", Fault("stall", 50, side="request")),
    _by_proxy("slow", Fault("slow", rate=200_000)),
    Trouble(
        "database: connections ended",
        lambda site: site.end_connections(),
        lambda site: None,
        ("idle", "middle", "last"),
    ),
    Trouble(
        "database: read-only",
        lambda site: site.read_only("on"),
        lambda site: site.read_only("off"),
        ("idle", "middle"),
    ),
    Trouble("database: full", lambda site: site.full(0), lambda site: site.full(-1)),
    Trouble("database: locked", lambda site: site.lock(), lambda site: site.unlock()),
    Trouble(
        "database: stopped",
        lambda site: site.cluster.stop(),
        lambda site: site.cluster.start(),
        ("idle", "middle"),
    ),
    Trouble(
        "database: killed",
        lambda site: site.cluster.stop(signal.SIGKILL),
        lambda site: site.cluster.start(),
        ("idle", "last"),
    ),
    Trouble(
        "database: restarted",
        lambda site: site.restart(signal.SIGQUIT),
        lambda site: None,
        ("idle", "before", "middle", "last"),
    ),
)


@pytest.fixture
def site() -> Iterator[Site]:
    with postgres_cluster() as cluster, Proxies() as proxies, cluster.database() as name:
        one = Site(cluster, proxies.to(cluster.port), name)
        yield one
        one.unlock()


def test_a_database_may_break_at_any_moment(site: Site, tmp_path: Path, tally: Tally) -> None:
    rounds = [
        (trouble, moment, slots_for(happening([*STAGES, *HITS], moment), f"{number}-{moment}"))
        for number, trouble in enumerate(TROUBLES)
        for moment in trouble.moments
    ]
    slots = [slot for *_, some in rounds for slot in some]
    with ground(
        tmp_path,
        slots,
        Judge(tally, LIMIT),
        storing={"database": "env:FAULTY_DATABASE"},
        environment={
            "FAULTY_DATABASE": site.cluster.url(site.name, site.proxy.port),
            "VIRTREG_SECRET_KEYS": new_key().reveal(),
        },
    ) as node:
        complaints: list[str] = []
        for trouble, moment, some in rounds:
            inject, heal = (partial(one, site) for one in (trouble.inject, trouble.heal))
            said = node.strike(trouble.name, some, moment, inject, heal)
            if trouble.proxied and not site.proxy.struck:
                said.append("never struck")
            complaints += [f"{trouble.name} {moment}: {each}" for each in said]
        agree(complaints)
        until(lambda: not node.node.spooled(), "empty spool")
        agree(node.lost())
        assert len(node.held) == len(slots)

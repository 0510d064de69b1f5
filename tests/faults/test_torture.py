"""Two nodes of two processes over one database and one bucket, whose upstream goes on all the time:
twenty clients hold every answer against the truth while operators and fate do what they do.

``VIRTREG_TORTURE_SECONDS`` makes it longer, ``VIRTREG_TORTURE_SEED`` chooses its course.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve, frozen

from tests.e2e.processes import until
from tests.e2e.server import Upstream
from tests.faults.bucket import NAME, Bucket, bucket
from tests.faults.chaos import Chaos
from tests.faults.node import Node
from tests.faults.truth import Truth
from tests.faults.visitors import Law, Visitors
from tests.faults.world import Thing, World
from tests.postgres import Cluster, postgres_cluster
from virtreg.backends.index import open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.vault import new_key
from virtreg.cli.local import Local, opened
from virtreg.config import load
from virtreg.model import Entry, Secret
from virtreg.protocols import Journals
from virtreg.service.consistency import Consistency
from virtreg.service.rebuilding import Rebuilding
from virtreg.service.sweeping import Sweeper
from virtreg.testing.origin import Origin

SECONDS = float(os.environ.get("VIRTREG_TORTURE_SECONDS", "40"))
CLIENTS = 20
SECOND = 1 / 3600

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(SECONDS + 300)]


@frozen
class Site:
    nodes: Sequence[Node]
    door: Local
    cluster: Cluster
    name: str
    bucket: Bucket

    @property
    def database(self) -> str:
        return self.cluster.url(self.name)


@contextmanager
def site(folder: Path, origin: Origin, environ: pytest.MonkeyPatch) -> Iterator[Site]:
    with ExitStack() as stack:
        (folder / "bucket").mkdir()
        store = stack.enter_context(bucket(folder / "bucket"))
        cluster = stack.enter_context(postgres_cluster())
        name = stack.enter_context(cluster.database())
        environ.setenv("VIRTREG_SECRET_KEYS", new_key().reveal())
        environ.setenv("VIRTREG_DATABASE", cluster.url(name))
        for key, value in store.environment(store.port).items():
            environ.setenv(key, value)
        nodes = [_node(folder / each, origin) for each in ("one", "two")]
        for node in nodes:
            node.start()
            stack.callback(node.stop)
        config = load(nodes[0].config, os.environ)
        # A place of its own, as a third node has.
        own = evolve(config, storage=evolve(config.storage, path=folder / "door"))
        door = stack.enter_context(opened(own))
        yield Site(nodes, door, cluster, name, store)


def _node(folder: Path, origin: Origin) -> Node:
    quick = {
        "cache_validity_hours": SECOND,
        "metadata_cache_validity_hours": SECOND,
        "negative_validity_seconds": 1,
    }
    return Node(
        folder,
        [
            Upstream("origin", origin.url, quick),
            Upstream("bad", origin.url, {**quick, "cache_validity_hours": 24}),
            Upstream("kept", origin.url, {"cache_validity_hours": 24}),
            Upstream("hub", origin.url, quick),
        ],
        settings={"upstreams": ["origin"]},
        also={
            "shelf": {"upstreams": ["origin"]},
            "bad": {"upstreams": ["bad"]},
            "kept": {"upstreams": ["kept"]},
            "pictures": {"upstreams": ["hub"], "format": "container"},
        },
        serving={"workers": 2, "graceful_timeout": 5},
        storing={
            "database": "env:VIRTREG_DATABASE",
            "url": f"s3://{NAME}/blobs",
            "cache_bytes": 20_000_000,
        },
    )


def test_whatever_is_done_at_the_same_time_nobody_is_told_what_is_not_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = os.environ.get("VIRTREG_TORTURE_SEED") or secrets.token_hex(4)
    chance = random.Random(seed)
    with Origin() as origin, site(tmp_path, origin, monkeypatch) as here:
        world = World(origin, Truth(), chance)
        world.begin()
        law = Law()
        visitors = Visitors(here.nodes, world, law)
        chaos = Chaos(
            here.nodes,
            here.door,
            here.cluster,
            here.database,
            here.bucket,
            law,
            random.Random(f"{seed} chaos"),
        )
        ends = time.monotonic() + SECONDS

        def over() -> bool:
            return time.monotonic() > ends

        with ThreadPoolExecutor(CLIENTS + 1) as threads:
            asking = [threads.submit(visitors.visit, each, over) for each in range(CLIENTS)]
            going = threads.submit(_go_on, world, over)
            while not over():
                chaos.strike()
                threading.Event().wait(0.3)
            going.result()
            for each in asking:
                each.result()
        print(f"\nseed {seed}: {dict(visitors.answers)} {dict(chaos.done)} {dict(chaos.failed)}")
        assert visitors.complaints == [], seed
        assert chaos.findings == [], seed
        _rest(here, chaos, visitors)
        assert visitors.complaints == [], seed
        for node in here.nodes:
            node.stop()
        _sound(here, chaos)


def _go_on(world: World, over: Callable[[], bool]) -> None:
    while not over():
        world.go_on()
        threading.Event().wait(0.1)


def _rest(here: Site, chaos: Chaos, visitors: Visitors) -> None:
    """All is well, and every node has everything that there is."""
    chaos.make_again()
    for node in here.nodes:
        for thing in list(visitors.world.things):
            if visitors.truth.now(thing.key) is not None:
                allowed = (200, 403) if thing.registry == "bad" else (200,)
                until(
                    partial(_answers, visitors, node, thing, allowed),
                    f"{thing.registry} {thing.path}",
                )


def _answers(visitors: Visitors, node: Node, thing: Thing, allowed: Sequence[int]) -> bool:
    return visitors.ask(node, thing).status in allowed


def _sound(here: Site, chaos: Chaos) -> None:
    """Nothing is wrong, nothing is left, and an index that is lost is made again as it was."""
    parts = here.door.parts
    until(lambda: not parts.index.changes(1), "journal that is up to date")
    chaos.make_again()
    Sweeper(parts.store, parts.index, time.time).sweep(-60)
    consistency = Consistency(parts.index, parts.store, time.time)
    found = [str(each) for each in consistency.check(deep=True, age=-60)]
    assert [each for each in found if "downloads are counted" not in each] == []
    with here.cluster.database() as name:
        server = DatabaseServer(Secret(here.cluster.url(name)))
        with closing(server), closing(open_index(server)) as copy:
            rebuilt = Rebuilding(copy, parts.store, time.time).run()
            assert (rebuilt.damaged, rebuilt.without) == ([], 0)
            assert _entries(copy) == _entries(parts.index)


def _entries(index: Journals) -> list[Entry]:
    """But for when they were checked last, which is no change."""
    found: list[Entry] = []
    after = ("", "")
    while page := index.everything(after):
        found += [evolve(each, checked_at=0) for each in page]
        after = (page[-1].path, page[-1].source)
    return found

"""Registries are rebuilt while many pull: nobody is told of an error of the server, nobody gets
bytes that no upstream of the moment has, and nothing of what went stays behind."""

from __future__ import annotations

import http.client
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import define, field

from tests.e2e import images
from tests.e2e.hanging import content as bytes_of
from tests.e2e.hanging import hang
from tests.e2e.images import Image
from tests.e2e.management import CONTAINER, GROUP, House, Registry, house
from tests.e2e.soundness import unsound_blobs
from tests.e2e.upheaval import CHANGES, PATHS, REGISTRIES, Source, Upheaval
from virtreg import build, load
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECONDS = 15.0
LONGEST = 60.0
"""On a machine that has other things to do as well."""
FILES_PULLED_BY = 38
IMAGES_PULLED_BY = 12

COLOURS = ("red", "green", "blue")
PICTURES = "pictures"
CHANGES_OF_IMAGES = 4
APP = "team/app"


@define(eq=False)
class Puller:
    """One client with one connection. Used by one thread."""

    port: int
    shown: Mapping[str, str] = field(repr=False)
    wrong: list[str]
    """Of all clients: what should not have been answered."""
    statuses: Counter[int] = field(factory=Counter)
    _connection: http.client.HTTPConnection = field(init=False)

    @_connection.default
    def _opened(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def pull(self, path: str) -> tuple[int, bytes, tuple[float, float]]:
        """Status, body, and when it was sent and answered. A body that is cut raises."""
        begin = time.monotonic()
        self._connection.request("GET", path, headers=dict(self.shown))
        answer = self._connection.getresponse()
        body = answer.read()
        self.statuses[answer.status] += 1
        return answer.status, body, (begin, time.monotonic())

    def close(self) -> None:
        self._connection.close()


@define(eq=False)
class Rotation:
    """A registry of images whose upstreams change. Each has the same tag for another image."""

    registry: Registry
    sources: list[Source]
    pictures: dict[str, Image]
    dice: random.Random
    done: Counter[str] = field(factory=Counter)

    def build(self) -> None:
        for source in self.sources:
            with source.linked[PICTURES].becoming(True):
                source.id = self.registry.upstream(source.name, source.origin.url)

    def change(self) -> None:
        source = self.dice.choice(self.sources)
        change = self.dice.choice([self._link, self._rule, self._move, self._purge])
        change(source)
        self.done[change.__name__] += 1

    def _link(self, source: Source) -> None:
        linked = source.linked[PICTURES]
        if linked.now:
            place = self.registry.places()[source.id or 0]
            with linked.becoming(False):
                self.registry.asked("DELETE", f"registry_upstreams/{place}")
        else:
            link = {"registry_id": self.registry.id, "upstream_id": source.id}
            with linked.becoming(True):
                self.registry.asked("POST", "registry_upstreams", link)

    def _rule(self, source: Source) -> None:
        if source.rule is None:
            with source.denied.becoming(True):
                source.rule = self.registry.deny(source.id or 0, "image", APP)
        else:
            with source.denied.becoming(False):
                self.registry.allow_again(source.rule)
                source.rule = None

    def _move(self, source: Source) -> None:
        places = self.registry.places()
        if source.id in places:
            position = self.dice.randint(1, len(places))
            place = f"registry_upstreams/{places[source.id]}"
            self.registry.asked("PATCH", place, {"position": position})

    def _purge(self, source: Source) -> None:
        self.registry.asked("DELETE", f"upstreams/{source.id}/cache")

    def pull(self, puller: Puller) -> None:
        """The image as it is now, as far as it is still there."""
        path = f"{APP}/manifests/latest"
        status, body, times = puller.pull(f"/v2/{PICTURES}/{path}")
        having = [each.name for each in self.sources if each.must(PICTURES, path, *times)]
        if status in (403, 404) and not having:
            return
        found = [name for name, image in self.pictures.items() if image.top.body == body]
        if status != 200 or not found:
            puller.wrong.append(f"{path}: {status}, {having} have it: {body[:900]!r}")
            return
        source = next(each for each in self.sources if each.name == found[0])
        if not source.may(PICTURES, path, *times):
            puller.wrong.append(f"{path}: {source.name} may not answer")
        for blob in self.pictures[source.name].blobs:
            path = f"{APP}/blobs/{blob.digest}"
            status, body, times = puller.pull(f"/v2/{PICTURES}/{path}")
            if status in (403, 404) and not source.must(PICTURES, path, *times):
                continue
            if status != 200 or body != bytes_of(blob):
                puller.wrong.append(f"{path} of {source.name}: {status}, {body[:900]!r}")


@pytest.fixture
def origins() -> Iterator[dict[str, Origin]]:
    with ExitStack() as stack:
        names = ("ann", "bob", "cat", "dan", "eve", *COLOURS)
        yield {name: stack.enter_context(Origin()) for name in names}


def test_rebuilding_under_fifty_clients(origins: dict[str, Origin], tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    with house(tmp_path / "virtreg") as home:
        files = Upheaval(
            home.admin,
            [Source(name, origin) for name, origin in origins.items() if name not in COLOURS],
            random.Random(seed),
        )
        files.build()
        layers = {
            name: images.single(APP, "latest", layers=1 + at) for at, name in enumerate(COLOURS)
        }
        for name, image in layers.items():
            hang(origins[name], image)
        rotation = Rotation(
            home.admin.make(CONTAINER, PICTURES),
            [Source(name, origins[name], (PICTURES,), APP) for name in COLOURS],
            layers,
            random.Random(seed + 1),
        )
        rotation.build()
        wrong, statuses = _pulled_while_changing(home, files, rotation)
        assert wrong == []
        assert set(statuses) <= {200, 403, 404}
        assert set(files.done) == CHANGES
        assert len(rotation.done) == CHANGES_OF_IMAGES
        print(statuses, files.done, rotation.done)
        log = home.server.log.read_text()
        assert "Traceback" not in log
    _nothing_stays(home)


def _pulled_while_changing(
    home: House, files: Upheaval, rotation: Rotation
) -> tuple[list[str], Counter[int]]:
    """What was wrong, and how often each status was answered."""
    begin = time.monotonic()
    wrong: list[str] = []
    over = threading.Event()
    clients = FILES_PULLED_BY + IMAGES_PULLED_BY
    start = threading.Barrier(clients + 2)

    def enough() -> bool:
        gone = time.monotonic() - begin
        every = set(files.done) == CHANGES and len(rotation.done) == CHANGES_OF_IMAGES
        return bool(wrong) or gone > LONGEST or (gone > SECONDS and every)

    def changing(change: Callable[[], None]) -> Counter[int]:
        start.wait(60)
        try:
            while not enough():
                change()
        finally:
            over.set()
        return Counter()

    def pulling(pull: Callable[[Puller], None]) -> Counter[int]:
        puller = Puller(home.server.port, home.admin.headers, wrong)
        start.wait(60)
        try:
            while not over.is_set():
                pull(puller)
        finally:
            puller.close()
        return puller.statuses

    def pull_file(puller: Puller) -> None:
        registry, path = random.choice(REGISTRIES), random.choice(PATHS)
        status, body, times = puller.pull(f"/maven/{registry}/{path}")
        found = files.judge(registry, path, status, body, times)
        if found is not None:
            wrong.append(f"{registry}/{path}: {found}")

    with ThreadPoolExecutor(clients + 2) as pool:
        running = [pool.submit(changing, change) for change in (files.change, rotation.change)]
        running += [pool.submit(pulling, pull_file) for _ in range(FILES_PULLED_BY)]
        running += [pool.submit(pulling, rotation.pull) for _ in range(IMAGES_PULLED_BY)]
        return wrong, sum((each.result(120) for each in running), Counter())


def _nothing_stays(home: House) -> None:
    """Of what went: no entry, no bytes, nothing that ``virtreg fsck`` finds."""
    server = home.server
    with build(load(server.config, {})) as assembly:
        assembly.run_due(time.time())
        assembly.sweeper.sweep(age=0)
        used = {spec.key for spec in assembly.catalog.registries()}
        for part in ("maven", "container"):
            found, total = assembly.catalog.upstreams_of_group(GROUP, part, limit=100)
            assert len(found) == total
            used |= {each.spec.key for each in found}
    with sqlite3.connect(server.data / "index.sqlite") as connection:
        sources = {source for (source,) in connection.execute("SELECT source FROM entries")}
        digests = {digest for (digest,) in connection.execute("SELECT sha256 FROM entries")}
    connection.close()
    assert sources <= used
    assert unsound_blobs(server.data) == []
    blobs = {path.name for path in (server.data / "blobs").rglob("*") if path.is_file()}
    assert blobs == digests
    assert server.spooled() == []
    checked = subprocess.run(
        [sys.executable, "-m", "virtreg", "fsck", "--deep", str(server.config)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr

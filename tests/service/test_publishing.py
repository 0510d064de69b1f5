"""Publishing: blob, then row, then nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.service.hub import entry_of
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.store import LocalStore, MemoryStore
from virtreg.core.layout import blob_key
from virtreg.errors import StorageError, VirtregError
from virtreg.service.publishing import Publisher
from virtreg.testing.gate import Gate


class Outcomes:
    """Collects what ``done`` is called with, by path."""

    def __init__(self) -> None:
        self.by_path: dict[str, VirtregError | None] = {}
        self._changed = threading.Condition()

    def __call__(self, path: str, error: VirtregError | None) -> None:
        with self._changed:
            self.by_path[path] = error
            self._changed.notify_all()

    def wait(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.by_path) >= count, 20)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqlIndex]:
    with closing(open_index(tmp_path / "index")) as index:
        yield index


def test_what_is_published_can_be_found_when_that_is_told(index: SqlIndex) -> None:
    store = MemoryStore()
    found: list[bool] = []
    told = threading.Event()
    entry = entry_of("a", "p", b"content")

    def done(error: VirtregError | None) -> None:
        with store.open(blob_key(entry.sha256)) as body:
            found.append(error is None and b"".join(body.read()) == b"content")
        found.append(index.find("p", ["a"]) == [entry])
        told.set()

    with closing(Publisher(store, index)) as publisher:
        publisher.later(entry, b"content", done)
        assert told.wait(20)
    assert found == [True, True]


def test_what_piles_up_is_published_together(index: SqlIndex) -> None:
    gate = Gate()
    seen: list[int] = []
    paths = [f"p{number}" for number in range(50)]

    def done(_error: VirtregError | None) -> None:
        seen.append(sum(len(index.find(path, ["a"])) for path in paths))

    with closing(Publisher(MemoryStore(), index)) as publisher:
        publisher.later(entry_of("a", "first", b""), b"", lambda _error: gate.arrive())
        gate.await_arrival()
        for path in paths:
            content = path.encode()
            publisher.later(entry_of("a", path, content), content, done)
        gate.release()
    assert seen == [50] * 50


def test_large_bodies_do_not_wait_in_memory(index: SqlIndex) -> None:
    content = bytes(1024 * 1024)
    entry = entry_of("a", "large", content)
    outcomes = Outcomes()
    with closing(Publisher(MemoryStore(), index)) as publisher:
        publisher.later(entry, content, lambda error: outcomes("large", error))
        assert outcomes.by_path == {"large": None}
        assert index.find("large", ["a"]) == [entry]


def test_closing_publishes_what_waits_and_may_be_repeated(index: SqlIndex) -> None:
    publisher = Publisher(MemoryStore(), index)
    for number in range(300):
        content = b"%d" % number
        entry = entry_of("a", f"p{number}", content)
        publisher.later(entry, content, lambda _error: None)
    publisher.close()
    publisher.close()
    assert len(index.page("a", limit=1000)) == 300


def test_one_that_fails_is_told_and_does_not_touch_the_others(
    index: SqlIndex, tmp_path: Path
) -> None:
    good, bad = entry_of("a", "good", b"good"), entry_of("a", "bad", b"bad")
    shard = tmp_path / "store" / blob_key(bad.sha256)
    shard.parent.parent.mkdir(parents=True)
    shard.parent.write_bytes(b"in the way")
    outcomes = Outcomes()
    with (
        closing(LocalStore(tmp_path / "store")) as store,
        closing(Publisher(store, index)) as publisher,
    ):
        publisher.later(bad, b"bad", lambda error: outcomes("bad", error))
        publisher.later(good, b"good", lambda error: outcomes("good", error))
        outcomes.wait(2)
    assert outcomes.by_path["good"] is None
    assert isinstance(outcomes.by_path["bad"], StorageError)
    assert index.find("good", ["a"]) == [good]
    assert index.find("bad", ["a"]) == []


def test_an_index_that_is_gone_is_told_to_everybody(tmp_path: Path) -> None:
    index = open_index(tmp_path / "index")
    outcomes = Outcomes()
    with closing(Publisher(MemoryStore(), index)) as publisher:
        index.close()
        for database in (tmp_path / "index").iterdir():
            database.unlink()
        (tmp_path / "index").rmdir()
        (tmp_path / "index").write_bytes(b"in the way")
        publisher.later(entry_of("a", "p", b""), b"", lambda error: outcomes("p", error))
        outcomes.wait(1)
    index.close()
    assert isinstance(outcomes.by_path["p"], StorageError)


class Distant(MemoryStore):
    """Puts end when as many are under way as are awaited; the first one when that is said."""

    def __init__(self, abreast: int) -> None:
        super().__init__()
        self.first = threading.Event()
        self._lock = threading.Lock()
        self._puts = 0
        self._together = threading.Barrier(abreast)

    def available(self) -> bool:
        return True

    def put(self, key: str, content: Path | bytes) -> None:
        with self._lock:
            self._puts += 1
            first = self._puts == 1
        if first:
            assert self.first.wait(20)
        else:
            self._together.wait(20)
        super().put(key, content)


def test_small_bodies_travel_to_a_distant_store_side_by_side(index: SqlIndex) -> None:
    store, outcomes = Distant(8), Outcomes()
    entries = [entry_of("a", f"p{number}", b"%d" % number) for number in range(9)]
    with closing(Publisher(store, index)) as publisher:
        for number, entry in enumerate(entries):
            publisher.later(entry, b"%d" % number, partial(outcomes, entry.path))
        store.first.set()
        outcomes.wait(9)
    assert set(outcomes.by_path.values()) == {None}
    assert [index.find(entry.path, ["a"]) for entry in entries] == [[entry] for entry in entries]

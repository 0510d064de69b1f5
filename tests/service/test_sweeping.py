"""Sweeping blobs that nothing refers to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.service.hub import HOUR, entry_of
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.store import MemoryStore
from virtreg.core.layout import blob_key
from virtreg.service.sweeping import AGE, Sweeper
from virtreg.testing.fakes import FakeClock


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqlIndex]:
    with closing(open_index(tmp_path)) as index:
        yield index


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


def put(store: MemoryStore, content: bytes) -> str:
    key = blob_key(entry_of("a", "p", content).sha256)
    store.put(key, content)
    return key


def keys(store: MemoryStore) -> set[str]:
    return {key for key, _, _ in store.list()}


def test_old_blobs_without_an_entry_go_and_all_others_stay(
    store: MemoryStore, index: SqlIndex, clock: FakeClock
) -> None:
    put(store, b"unreferenced")
    referenced = put(store, b"referenced")
    index.put([entry_of("a", "p", b"referenced")])
    clock.advance(AGE + 1)
    young = put(store, b"young")
    with closing(Sweeper(store, index, clock)) as sweeper:
        assert sweeper.sweep() == len(b"unreferenced")
        assert keys(store) == {referenced, young}
        assert sweeper.sweep() == 0


def test_a_blob_put_again_is_young_again(
    store: MemoryStore, index: SqlIndex, clock: FakeClock
) -> None:
    put(store, b"again")
    clock.advance(AGE)
    put(store, b"again")
    clock.advance(AGE)
    with closing(Sweeper(store, index, clock)) as sweeper:
        assert sweeper.sweep() == 0
        clock.advance(1)
        assert sweeper.sweep() == len(b"again")


def test_many_blobs_are_swept_in_batches(
    store: MemoryStore, index: SqlIndex, clock: FakeClock
) -> None:
    for number in range(1200):
        put(store, b"%04d" % number)
    index.put([entry_of("a", f"p{number}", b"%04d" % number) for number in range(0, 1200, 3)])
    clock.advance(AGE + 1)
    with closing(Sweeper(store, index, clock)) as sweeper:
        assert sweeper.sweep() == 800 * 4
    assert len(keys(store)) == 400


def test_nothing_is_swept_while_another_process_sweeps(
    store: MemoryStore, index: SqlIndex, clock: FakeClock
) -> None:
    put(store, b"old")
    clock.advance(AGE + 1)
    assert index.lease("sweep", "another", clock(), HOUR)
    with closing(Sweeper(store, index, clock)) as sweeper:
        assert sweeper.sweep() == 0
        clock.advance(HOUR)
        assert sweeper.sweep() == len(b"old")


def test_the_lease_is_given_back(store: MemoryStore, index: SqlIndex, clock: FakeClock) -> None:
    with closing(Sweeper(store, index, clock)) as sweeper:
        sweeper.sweep()
    assert index.lease("sweep", "another", clock(), HOUR)


def test_a_sweeper_that_is_closing_sweeps_nothing_more(
    store: MemoryStore, index: SqlIndex, clock: FakeClock
) -> None:
    put(store, b"old")
    clock.advance(AGE + 1)
    sweeper = Sweeper(store, index, clock)
    sweeper.close()
    assert sweeper.sweep() == 0


def test_closing_ends_its_thread(store: MemoryStore, index: SqlIndex, clock: FakeClock) -> None:
    sweeper = Sweeper(store, index, clock)
    sweeper.start()
    sweeper.close()
    assert "virtreg-sweeper" not in {thread.name for thread in threading.enumerate()}


class PutAgain(MemoryStore):
    """Where a body is put again after the blobs were listed and before they go."""

    def __init__(self, clock: FakeClock, content: bytes) -> None:
        super().__init__(clock)
        self._again = content

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        yield from list(super().list(prefix))
        put(self, self._again)


def test_a_blob_put_again_while_it_is_swept_stays(index: SqlIndex, clock: FakeClock) -> None:
    store = PutAgain(clock, b"again")
    again = put(store, b"again")
    put(store, b"old")
    clock.advance(AGE + 1)
    with closing(Sweeper(store, index, clock)) as sweeper:
        assert sweeper.sweep() == len(b"old")
    with closing(store.open(again)) as body:
        assert body.size == len(b"again")

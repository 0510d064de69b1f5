"""The memory store keeps the contract."""

from __future__ import annotations

from pathlib import Path

from virtreg.backends.store import MemoryStore
from virtreg.testing.stores import CacheStoreSuite, key_of


class TestMemoryStore(CacheStoreSuite):
    def make_store(self, folder: Path) -> MemoryStore:
        return MemoryStore()


def test_blobs_carry_the_time_of_their_last_put() -> None:
    times = iter((10.0, 20.0))
    store = MemoryStore(clock=lambda: next(times))
    store.put(key_of(b"x"), b"x")
    store.put(key_of(b"x"), b"x")
    assert list(store.list()) == [(key_of(b"x"), 1, 20.0)]

"""Nearby stores over a remote one that counts what is read of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Lock

from tests.backends.store import shelf
from virtreg.backends.store import LocalStore
from virtreg.backends.store.objects import ObjectStore
from virtreg.protocols import Body
from virtreg.service.nearby import NearbyStore
from virtreg.testing.fakes import FakeClock

shelf.register()


class CountingStore(ObjectStore):
    """An object store over a folder. Every read of a body waits, after its first piece, for
    ``going``."""

    def __init__(self, folder: Path) -> None:
        # Of its own: it is left alone for as long as a test takes.
        super().__init__(f"shelf://{folder}", clock=FakeClock())
        self.folder = folder
        self.going = Event()
        self.going.set()
        self.reads: list[tuple[str, int, int | None]] = []
        self._counting = Lock()

    def open_known(self, key: str, size: int) -> Body:  # type: ignore[override]
        return _CountedBody(self, super().open_known(key, size), key)

    def count(self, key: str, start: int, stop: int | None) -> None:
        with self._counting:
            self.reads.append((key, start, stop))

    def overwrite(self, key: str, content: bytes) -> None:
        (self.folder / key).write_bytes(content)


class _CountedBody(Body):
    def __init__(self, store: CountingStore, body: Body, key: str) -> None:
        self._store = store
        self._body = body
        self._key = key

    @property
    def size(self) -> int | None:
        return self._body.size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        self._store.count(self._key, start, stop)
        for piece in self._body.read(start, stop):
            yield piece
            assert self._store.going.wait(30)

    def close(self) -> None:
        self._body.close()


class Nearby:
    """A nearby store and its parts."""

    def __init__(
        self,
        folder: Path,
        budget: int = 1 << 30,
        room: Callable[[int], bool] = lambda _: True,
        copies: Path | None = None,
    ) -> None:
        self.remote = CountingStore(folder / "remote")
        self.local = LocalStore(copies or folder / "copies")
        self.clock = FakeClock()
        self.store = NearbyStore(self.remote, self.local, budget, self.clock, room)

    def close(self) -> None:
        self.store.close()
        self.local.close()

    def only_remote(self, key: str, content: bytes) -> None:
        """Put it there as another node does."""
        self.remote.put(key, content)

    def read(self, key: str, size: int, start: int = 0, stop: int | None = None) -> bytes:
        with self.store.open_known(key, size) as body:
            return b"".join(body.read(start, stop))

    def held(self) -> set[str]:
        """The keys there are copies of."""
        return {key for key, _, _ in self.local.list()}

    def age(self, key: str, at: float) -> None:
        os.utime(self.local._root / key, (at, at))

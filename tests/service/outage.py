"""A store that can be out of order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from virtreg.backends.store import MemoryStore
from virtreg.errors import StorageError
from virtreg.protocols import Body


class FragileStore(MemoryStore):
    """Has the power TellsHealth. ``broken``: nothing can be asked of it; ``cut``: bodies open and
    cannot be read; ``known_broken``: it says so itself."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.cut = False
        self.known_broken = False
        self.puts = 0

    def available(self) -> bool:
        return not self.known_broken

    def open(self, key: str) -> Body:  # type: ignore[override]
        self._check("open")
        body = super().open(key)
        return _Cut(body) if self.cut else body

    def put(self, key: str, content: Path | bytes) -> None:
        self.puts += 1
        self._check("put")
        super().put(key, content)

    def _check(self, what: str) -> None:
        if self.broken or self.known_broken:
            raise StorageError(f"cannot {what}: the bucket is out of order", retry_after=3)


class _Cut(Body):
    def __init__(self, body: Body) -> None:
        self._body = body

    @property
    def size(self) -> int | None:
        return self._body.size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        # A generator: nothing is asked before somebody reads.
        yield from _refused()

    def close(self) -> None:
        self._body.close()


def _refused() -> Iterator[bytes]:
    raise StorageError("cannot read: the bucket is out of order", retry_after=3)

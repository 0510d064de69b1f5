"""Bodies that are in memory already."""

from __future__ import annotations

from collections.abc import Iterator

from virtreg.protocols import Body
from virtreg.service.spool import PIECE


class BytesBody(Body):
    """A small body."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        wanted = self.data[start:stop]
        for at in range(0, len(wanted), PIECE):
            yield wanted[at : at + PIECE]

    def close(self) -> None:
        """Nothing is held."""

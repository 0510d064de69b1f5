"""Readers of bodies that pass through, from the beginning or from where the disk took no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from virtreg.errors import IntegrityError, SpoolFull
from virtreg.protocols import Body
from virtreg.service.spool import SpoolBody


class Onward(Protocol):
    """A body that passes through to each of its readers. Thread-safe."""

    @property
    def size(self) -> int | None:
        """Bytes in all; None while that is not known yet."""
        ...

    def read(self, start: int, stop: int | None) -> Iterator[bytes]:
        """As ``Body.read``."""
        ...

    def give_up(self) -> None:
        """Let go of what is held for the first reader, who does not come."""
        ...


class PassingBody(Body):
    """One reader of a body that passes through."""

    def __init__(self, passing: Onward) -> None:
        self._passing = passing
        self._closed = False

    @property
    def size(self) -> int | None:
        return self._passing.size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if self._closed:
            raise ValueError("the body is closed")
        yield from self._passing.read(start, stop)

    def close(self) -> None:
        self._closed = True
        self._passing.give_up()


class PerseveringBody(Body):
    """One reader. What it has been given out of the file is compared with what passes through, and
    what is read whole is proved, so that no two files are ever put together."""

    def __init__(self, first: SpoolBody, passing: Onward) -> None:
        self._first = first
        self._passing = passing

    @property
    def size(self) -> int | None:
        size = self._first.size
        return self._passing.size if size is None else size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        at = start
        try:
            for piece in self._first.read(start, stop):
                at += len(piece)
                yield piece
        except SpoolFull:
            pass
        else:
            return
        if start:
            yield from self._passing.read(at, stop)
            return
        seen = 0
        for piece in self._passing.read(0, stop):
            given = min(len(piece), max(0, at - seen))
            if given and self._first.read_back(seen, given) != piece[:given]:
                raise IntegrityError(
                    "the file is another one since the disk of the cache is full", upstream=""
                )
            seen += len(piece)
            if len(piece) > given:
                yield piece[given:]

    def close(self) -> None:
        self._first.close()

"""What is kept, how much it is, and when it was last wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from sqlalchemy import Connection

from virtreg.backends.index import selections
from virtreg.backends.index.upserts import Upserts
from virtreg.backends.sql.database import Database
from virtreg.model import Entry


class Using:
    """The powers KnowsUse and ListsByDigest of :class:`virtreg.backends.index.sql.SqlIndex`."""

    _index: Database
    _counts: Database

    @cached_property
    def _upserts(self) -> Upserts:
        return Upserts(self._index.dialect)

    def recent(
        self, source: str, *, search: str = "", limit: int = 20, offset: int = 0
    ) -> tuple[list[Entry], int]:
        """``search`` folds the case of ASCII letters only."""
        with self._index.reading() as connection:
            rows = connection.execute(selections.newest(source, search, limit, offset))
            found = [Entry(*row) for row in rows]
            if 0 < len(found) < limit:
                # The last page: looking further would find nothing.
                return found, min(offset + len(found), selections.COUNTED + 1)
            total: int = connection.scalar(selections.counted(source, search))
        return found, total

    def downloads_of(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[int, float]]:
        with self._counts.reading() as connection:
            return self._counts_of(connection, keys)

    @staticmethod
    def _counts_of(
        connection: Connection, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[int, float]]:
        rows = connection.execute(selections.counts_of, selections.wanted(keys))
        return {(source, path): (times, last_at) for source, path, times, last_at in rows}

    def usage(self) -> Mapping[str, tuple[int, int]]:
        with self._index.reading(long=True) as connection:
            found = connection.execute(selections.usage())
            return {source: (rows, size) for source, rows, size in found}

    def used(self, sources: Sequence[str]) -> int:
        if not sources:
            return 0
        with self._index.reading(long=True) as connection:
            return connection.scalar(selections.used(sources)) or 0

    def by_digest(
        self, after: tuple[str, str, str] = ("", "", ""), limit: int = 500
    ) -> list[Entry]:
        with self._index.reading() as connection:
            rows = connection.execute(selections.by_digest(after, limit))
            return [Entry(*row) for row in rows]

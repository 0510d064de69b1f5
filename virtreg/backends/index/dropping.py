"""Removing what is wanted least, a little at a time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from virtreg.backends.index import selections, statements
from virtreg.backends.index.journalling import changed
from virtreg.backends.index.schema import entries, loose
from virtreg.backends.index.using import Using
from virtreg.model import Entry

_AT_ONCE = 200
"""Rows of one source that are read together."""

Seen = tuple[Entry, float | None]


class Dropping(Using):
    """The power Evicts of :class:`virtreg.backends.index.sql.SqlIndex`."""

    def least_recent(
        self, sources: Sequence[str], between: Callable[[], object] = lambda: None
    ) -> Iterator[Seen]:
        streams: list[Iterator[Seen]] = []
        for source in dict.fromkeys(sources):
            streams += (
                self._downloaded(source, between),
                self._never_downloaded(source, between),
            )
        return heapq.merge(*streams, key=_last_wanted)

    def drop_entries(self, seen: Sequence[Seen]) -> list[Entry]:
        before = {(entry.source, entry.path): (entry, last_at) for entry, last_at in seen}
        if not before:
            return []

        def drop(connection: Connection) -> list[Entry]:
            # Asked for here, so that nothing that is counted by now is overlooked.
            counted = self._counted_in(connection, list(before))
            now = self._entered(connection, sorted(before, key=_place), selections.held_keys)
            dropped = [
                entry
                for key, (entry, last_at) in before.items()
                if now.get(key) == entry and counted.get(key, (0, None))[1] == last_at
            ]
            self._drop(connection, dropped)
            return dropped

        dropped = self._index.write(drop)
        uses = [(entry, before[entry.source, entry.path][1]) for entry in dropped]
        self._forget([(entry, last_at) for entry, last_at in uses if last_at is not None])
        return dropped

    def drop_some(self, source: str, limit: int) -> int:
        def drop(connection: Connection) -> list[Entry]:
            page = statements.page(source, "", limit, "").with_for_update()
            rows = connection.execute(page).all()
            dropped = [Entry(*row) for row in rows]
            self._drop(connection, dropped)
            return dropped

        dropped = self._index.write(drop)
        if dropped:
            keys = _keys(dropped)
            self._counts.write(lambda connection: connection.execute(statements.forget, keys))
        return len(dropped)

    def _drop_one(self, source: str, path: str) -> int:
        def drop(connection: Connection) -> int:
            held = self._entered(connection, [(source, path)], selections.held_keys)
            self._drop(connection, list(held.values()))
            return len(held)

        return self._index.write(drop)

    def loose(self, *, after: str = "", limit: int = 500) -> list[str]:
        with self._index.reading() as connection:
            return list(connection.scalars(selections.loose_ones(after, limit)))

    def settle(self, digests: Sequence[str]) -> None:
        def settle(connection: Connection) -> None:
            for some in selections.chunks(sorted(digests)):
                connection.execute(delete(loose).where(loose.c.sha256.in_(some)))

        if digests:
            self._index.write(settle)
        # A removal writes to many places.
        self._index.settle()

    def referenced_in(self, sources: Sequence[str], digests: Sequence[str]) -> set[str]:
        found: set[str] = set()
        with self._index.reading() as connection:
            for some in selections.chunks(digests):
                statement = (
                    select(entries.c.sha256)
                    .distinct()
                    .where(entries.c.source.in_(sources), entries.c.sha256.in_(some))
                )
                found.update(connection.scalars(statement))
        return found

    def stray_counts(
        self, after: tuple[str, str] | None = None, limit: int = 1000
    ) -> tuple[list[tuple[str, str, float]], tuple[str, str] | None]:
        with self._counts.reading() as connection:
            rows = [
                (row.source, row.path, row.last_at)
                for row in connection.execute(selections.counts(after, limit))
            ]
        with self._index.reading() as connection:
            entered = self._entered(connection, [(source, path) for source, path, _ in rows])
        strays = [(source, path, at) for source, path, at in rows if (source, path) not in entered]
        return strays, rows[-1][:2] if rows and len(rows) == limit else None

    def drop_counts(self, keys: Sequence[tuple[str, str]], upto: float) -> int:
        if not keys:
            return 0
        rows = [
            {"of_path": path, "of_source": source, "upto": upto}
            for source, path in sorted(keys, key=_place)
        ]
        return self._counts.write(
            lambda connection: connection.execute(statements.forget_before, rows).rowcount
        )

    def _drop(self, connection: Connection, dropped: Sequence[Entry]) -> None:
        if not dropped:
            return
        digests = sorted({entry.sha256 for entry in dropped})
        connection.execute(self._upserts.loosen, [{"sha256": digest} for digest in digests])
        connection.execute(statements.drop, _keys(dropped))
        changed(connection, dropped)

    def _forget(self, uses: Sequence[tuple[Entry, float]]) -> None:
        """Forget download counts, but for those of later downloads."""
        if not uses:
            return
        rows = [
            {"of_path": entry.path, "of_source": entry.source, "upto": last_at}
            for entry, last_at in sorted(uses, key=lambda use: (use[0].path, use[0].source))
        ]
        self._counts.write(
            lambda connection: connection.execute(statements.forget_before, rows), hurried=True
        )

    def _counted_in(
        self, connection: Connection, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[int, float]]:
        if self._counts is not self._index:
            return self.downloads_of(keys)
        # Who holds one connection must not wait for another.
        return self._counts_of(connection, keys)

    @staticmethod
    def _entered(
        connection: Connection,
        keys: Sequence[tuple[str, str]],
        statement: Select[Any] = selections.of_keys,
    ) -> dict[tuple[str, str], Entry]:
        """The entries there are, by (source, path)."""
        found: dict[tuple[str, str], Entry] = {}
        for row in connection.execute(statement, selections.wanted(keys)):
            entry = Entry(*row)
            found[entry.source, entry.path] = entry
        return found

    def _downloaded(self, source: str, between: Callable[[], object]) -> Iterator[Seen]:
        after: tuple[float, str] | None = None
        while True:
            between()
            with self._counts.reading() as connection:
                statement = selections.counts_by_use(source, after, _AT_ONCE)
                rows = [(row.last_at, row.path) for row in connection.execute(statement)]
            with self._index.reading() as connection:
                entered = self._entered(connection, [(source, path) for _, path in rows])
            for last_at, path in rows:
                if (source, path) in entered:
                    yield entered[source, path], last_at
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1]

    def _never_downloaded(self, source: str, between: Callable[[], object]) -> Iterator[Seen]:
        after: tuple[float, str] | None = None
        while True:
            between()
            with self._index.reading() as connection:
                statement = selections.oldest(source, after, _AT_ONCE)
                rows = [Entry(*row) for row in connection.execute(statement)]
            counted = self.downloads_of([(source, entry.path) for entry in rows])
            for entry in rows:
                if (source, entry.path) not in counted:
                    yield entry, None
            if len(rows) < _AT_ONCE:
                return
            after = (rows[-1].created_at, rows[-1].path)


def _keys(dropped: Sequence[Entry]) -> list[dict[str, str]]:
    rows = [{"of_path": entry.path, "of_source": entry.source} for entry in dropped]
    return sorted(rows, key=lambda row: (row["of_path"], row["of_source"]))


def _place(key: tuple[str, str]) -> tuple[str, str]:
    """In which order rows are written, by everybody, for a (source, path)."""
    source, path = key
    return path, source


def _last_wanted(seen: Seen) -> float:
    entry, last_at = seen
    return entry.created_at if last_at is None else last_at

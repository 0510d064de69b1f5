"""The entry index in a SQL database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict
from sqlalchemy import Connection, delete, select

from virtreg.backends.index import statements
from virtreg.backends.index.dropping import Dropping
from virtreg.backends.index.journalling import Journalling, changed, changed_where
from virtreg.backends.index.schema import downloads, entries
from virtreg.backends.sql.database import Database
from virtreg.model import Entry

_DIGESTS_AT_ONCE = 500


class SqlIndex(Dropping, Journalling):
    """An EntryIndex with every power.

    Every method raises IndexUnavailable for database trouble, InvalidRequest for text that is not
    Unicode. Safe from any thread; may exist before a fork and be used after it. Download counts
    may be in a database of their own, so that counting never makes readers of entries look again;
    ``counted`` is the same one, for counting alone.
    """

    def __init__(self, index: Database, counts: Database, counted: Database) -> None:
        self._index = index
        self._counts = counts
        self._counted = counted
        self._find_texts: dict[int, str] = {}

    def find(self, path: str, sources: Sequence[str]) -> list[Entry]:
        if not sources:
            return []
        text = self._find_texts.get(len(sources))
        if text is None:
            text = statements.find_text(self._index.rows_dialect, len(sources))
            self._find_texts[len(sources)] = text
        return [Entry(*row) for row in self._index.rows(text, (path, *sources))]

    def put(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        # In one order, so that those who put the same do not wait for each other in a circle.
        rows = sorted((asdict(entry, recurse=False) for entry in entries), key=_key)

        def put(connection: Connection) -> None:
            connection.execute(self._upserts.put, rows)
            changed(connection, entries)

        self._index.write(put)

    def touch(self, source: str, path: str, checked_at: float) -> None:
        checked = {"at_source": source, "at_path": path, "checked": checked_at}
        self._index.write(
            lambda connection: connection.execute(statements.touch, checked), hurried=True
        )

    def drop(self, source: str, path: str | None = None) -> int:
        if path is not None:
            return self._drop_one(source, path)
        here = entries.c.source == source

        def drop(connection: Connection) -> int:
            changed_where(connection, here)
            connection.execute(self._upserts.loosened(here))
            return connection.execute(delete(entries).where(here)).rowcount

        return self._index.write(drop, stable=True, long=True)

    def page(
        self, source: str, *, after: str = "", limit: int = 100, search: str = ""
    ) -> list[Entry]:
        """``search`` folds the case of ASCII letters only."""
        with self._index.reading() as connection:
            found = connection.execute(statements.page(source, after, limit, search))
            return [Entry(*row) for row in found]

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        def take(connection: Connection) -> bool:
            if seconds <= 0:
                connection.execute(statements.give_up_lease, {"of_name": name, "of_holder": holder})
                return False
            taken = connection.execute(
                self._upserts.take_lease,
                {"name": name, "holder": holder, "expires_at": now + seconds, "now": now},
                execution_options={"preserve_rowcount": True},
            )
            return taken.rowcount == 1

        return self._index.write(take, hurried=True)

    def count(self, downloads: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        if not downloads:
            return
        rows: list[dict[str, Any]] = [
            {"source": source, "path": path, "times": times, "last_at": last_at}
            for (source, path), (times, last_at) in downloads.items()
        ]
        rows.sort(key=_key)
        self._counted.write(
            lambda connection: connection.execute(self._upserts.count, rows), hurried=True
        )

    def downloads(self, source: str, path: str) -> tuple[int, float | None]:
        statement = select(downloads.c.times, downloads.c.last_at).where(
            downloads.c.path == path, downloads.c.source == source
        )
        with self._counts.reading() as connection:
            row = connection.execute(statement).one_or_none()
        return (0, None) if row is None else (row.times, row.last_at)

    def referenced(self, digests: Sequence[str]) -> set[str]:
        found: set[str] = set()
        with self._index.reading() as connection:
            for start in range(0, len(digests), _DIGESTS_AT_ONCE):
                some = digests[start : start + _DIGESTS_AT_ONCE]
                statement = select(entries.c.sha256).distinct().where(entries.c.sha256.in_(some))
                found.update(connection.scalars(statement))
        return found

    def holding(self, source: str, sha256: str) -> Entry | None:
        with self._index.reading() as connection:
            row = connection.execute(statements.holding(source, sha256)).first()
        return None if row is None else Entry(*row)

    def close(self) -> None:
        """Close every connection of this process; repeatable."""
        self._index.close()
        self._counts.close()
        self._counted.close()


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["path"], row["source"]

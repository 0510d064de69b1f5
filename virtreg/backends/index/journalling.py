"""What has changed since the journal was written."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from virtreg.backends.index import selections
from virtreg.backends.index.schema import changes, entries, journal
from virtreg.backends.index.statements import ENTRY
from virtreg.backends.sql.database import Database
from virtreg.model import Entry
from virtreg.protocols import Change

_next = journal.alias()
_intended = select(_next.c.note).where(_next.c.name == "next").scalar_subquery()

_intend = update(journal).where(journal.c.name == "next").values(note=bindparam("written"))

_written = (
    update(journal)
    .where(journal.c.name == "head", _intended == bindparam("written"))
    .values(note=bindparam("written"))
)


def changed(connection: Connection, entries: Sequence[Entry]) -> None:
    """Remember, in the transaction of the change, that these were put or removed."""
    connection.execute(
        insert(changes), [{"source": entry.source, "path": entry.path} for entry in entries]
    )


def changed_where(connection: Connection, where: ColumnElement[bool]) -> None:
    """Remember that the entries there are about to be removed."""
    keys = select(entries.c.source, entries.c.path).where(where)
    connection.execute(insert(changes).from_select(["source", "path"], keys))


class Journalling:
    """The power Journals of :class:`virtreg.backends.index.sql.SqlIndex`."""

    _index: Database

    def changes(self, limit: int = 1000) -> list[tuple[Change, Entry | None]]:
        with self._index.reading() as connection:
            rows = connection.execute(
                select(changes.c.source, changes.c.path, changes.c.mark)
                .order_by(changes.c.mark)
                .limit(limit)
            )
            found = [Change(*row) for row in rows]
            keys = list({(each.source, each.path) for each in found})
            entered = {
                (row.source, row.path): Entry(*row)
                for row in connection.execute(selections.of_keys, selections.wanted(keys))
            }
        return [(each, entered.get((each.source, each.path))) for each in found]

    def journalled(self, done: Sequence[Change], head: str) -> None:
        with self._index.writing() as connection:
            for some in selections.chunks(done):
                marks = [each.mark for each in some]
                connection.execute(delete(changes).where(changes.c.mark.in_(marks)))
            connection.execute(_written, {"written": head})

    def intend(self, note: str) -> None:
        with self._index.writing() as connection:
            connection.execute(_intend, {"written": note})

    def journal(self) -> tuple[str, str]:
        with self._index.reading() as connection:
            rows = connection.execute(select(journal.c.name, journal.c.note))
            notes = {row.name: row.note for row in rows}
        return notes["head"], notes["next"]

    def everything(self, after: tuple[str, str] = ("", ""), limit: int = 1000) -> list[Entry]:
        order = (entries.c.path, entries.c.source)
        statement = (
            select(*ENTRY).where(selections.beyond(order, *after)).order_by(*order).limit(limit)
        )
        with self._index.reading() as connection:
            return [Entry(*row) for row in connection.execute(statement)]

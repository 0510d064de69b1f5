"""Sources of the index that nothing reads any more: their entries are removed by and by."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from virtreg.backends.catalog import schema
from virtreg.backends.catalog.snapshot import Snapshot

_source = schema.retired.c.source


def retire(connection: Connection, before: Snapshot, after: Snapshot, now: float) -> None:
    """Remember what a change took out of use, and forget what it put into use again."""
    revive(connection, after)
    gone = before.sources.keys() - after.sources.keys()
    rows = [{"source": source, "at": now} for source in sorted(gone - set(retired(connection)))]
    if rows:
        connection.execute(insert(schema.retired), rows)


def revive(connection: Connection, after: Snapshot) -> None:
    """What is in use is not retired."""
    for source in retired(connection):
        if source in after.sources:
            forget(connection, source)


def retired(connection: Connection) -> list[str]:
    order = (schema.retired.c.at, _source)
    return list(connection.scalars(select(_source).order_by(*order)))


def forget(connection: Connection, source: str) -> None:
    connection.execute(delete(schema.retired).where(_source == source))

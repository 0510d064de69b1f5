"""The statements, built once from the tables."""

from __future__ import annotations

from typing import Any

from attrs import fields
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.engine import Dialect

from virtreg.backends.index.schema import downloads, entries, leases
from virtreg.model import Entry

FIELDS = tuple(field.name for field in fields(Entry))
"""An entry's fields in the order of its constructor; each is a column."""

ENTRY = [entries.c[name] for name in FIELDS]


def find_text(dialect: Dialect, sources: int) -> str:
    """SQL text that selects one path from ``sources`` sources; parameters are the path, then
    the sources, and the columns are :data:`FIELDS`."""
    statement = select(*ENTRY).where(
        entries.c.path == bindparam("path"),
        entries.c.source.in_([bindparam(f"source_{number}") for number in range(sources)]),
    )
    return str(statement.compile(dialect=dialect))


def page(source: str, after: str, limit: int, search: str) -> Select[tuple[Any, ...]]:
    """Entries of one source in path order, from the index on (source, path)."""
    statement = select(*ENTRY).where(entries.c.source == source, entries.c.path > after)
    if search:
        statement = statement.where(has(search))
    return statement.order_by(entries.c.path).limit(max(limit, 0))


def has(search: str) -> ColumnElement[bool]:
    """A path contains this, whatever the case of ASCII letters: databases differ in others."""
    wanted = "".join(each.lower() if each.isascii() else each for each in search)
    return func.lower(entries.c.path).contains(wanted, autoescape=True, escape="!")


def holding(source: str, sha256: str) -> Select[tuple[Any, ...]]:
    """Some entry of a source with this digest, from the index on digests."""
    # Not the bare column: SQLite would rather read all of a source than all of a digest.
    of_source = entries.c.source.concat("") == source
    return select(*ENTRY).where(entries.c.sha256 == sha256, of_source).limit(1)


touch = (
    update(entries)
    .where(entries.c.path == bindparam("at_path"), entries.c.source == bindparam("at_source"))
    .values(checked_at=bindparam("checked"))
)

give_up_lease = delete(leases).where(
    and_(leases.c.name == bindparam("of_name"), leases.c.holder == bindparam("of_holder"))
)

drop = delete(entries).where(
    entries.c.path == bindparam("of_path"), entries.c.source == bindparam("of_source")
)

forget = delete(downloads).where(
    downloads.c.path == bindparam("of_path"), downloads.c.source == bindparam("of_source")
)

forget_before = forget.where(downloads.c.last_at <= bindparam("upto"))

"""The statements, built once from the tables. The upserts are SQLite's spelling."""

from __future__ import annotations

from typing import Any

from attrs import fields
from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, or_, select, update
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine import Dialect

from virtreg.backends.index.schema import downloads, entries, leases, loose
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
        statement = statement.where(entries.c.path.icontains(search, autoescape=True, escape="!"))
    return statement.order_by(entries.c.path).limit(max(limit, 0))


def holding(source: str, sha256: str) -> Select[tuple[Any, ...]]:
    """Some entry of a source with this digest, from the index on digests."""
    # Not the bare column: SQLite would rather read all of a source than all of a digest.
    of_source = entries.c.source.concat("") == source
    return select(*ENTRY).where(entries.c.sha256 == sha256, of_source).limit(1)


_put = insert(entries)
put = _put.on_conflict_do_update(
    index_elements=[entries.c.path, entries.c.source],
    set_={name: _put.excluded[name] for name in FIELDS if name not in ("path", "source")},
)

touch = (
    update(entries)
    .where(entries.c.path == bindparam("at_path"), entries.c.source == bindparam("at_source"))
    .values(checked_at=bindparam("checked"))
)

_take = insert(leases)
take_lease = _take.on_conflict_do_update(
    index_elements=[leases.c.name],
    set_={"holder": _take.excluded.holder, "expires_at": _take.excluded.expires_at},
    where=or_(leases.c.holder == _take.excluded.holder, leases.c.expires_at <= bindparam("now")),
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

loosen = insert(loose).on_conflict_do_nothing()


def loosened(where: ColumnElement[bool]) -> Insert:
    """Remember the digests of entries that are about to be removed."""
    digests = select(entries.c.sha256).distinct().where(where)
    return insert(loose).from_select(["sha256"], digests).on_conflict_do_nothing()


_count = insert(downloads)
count = _count.on_conflict_do_update(
    index_elements=[downloads.c.path, downloads.c.source],
    set_={
        "times": downloads.c.times + _count.excluded.times,
        "last_at": case(
            (_count.excluded.last_at > downloads.c.last_at, _count.excluded.last_at),
            else_=downloads.c.last_at,
        ),
    },
)

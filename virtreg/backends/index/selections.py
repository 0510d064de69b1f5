"""Queries about many entries, each answered from one index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    cast,
    func,
    select,
    tuple_,
)

from virtreg.backends.index.schema import downloads, entries, loose
from virtreg.backends.index.statements import ENTRY, has
from virtreg.backends.sql.dialects import paired, pairs

COUNTED = 10_000
"""More entries than these are not counted to the end."""

_AT_ONCE = 500

T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as one statement takes."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def beyond(columns: Sequence[ColumnElement[Any]], *values: Any) -> ColumnElement[bool]:
    """Rows after the one with these values, where rows are ordered by the columns."""
    return tuple_(*columns) > tuple_(*values)


def newest(source: str, search: str, limit: int, offset: int) -> Select[Any]:
    """Entries of a source, newest first. Those passed over are not read: the index alone says
    where the page begins."""
    order = (entries.c.created_at.desc(), entries.c.path.desc())
    page = (
        _matching(source, search).order_by(*order).limit(max(limit, 0)).offset(max(offset, 0))
    ).subquery()
    here = and_(entries.c.source == source, entries.c.path == page.c.path)
    return select(*ENTRY).select_from(page.join(entries, here)).order_by(*order)


def counted(source: str, search: str) -> Select[Any]:
    """How many entries ``newest`` has, and COUNTED + 1 for more."""
    some = _matching(source, search).limit(COUNTED + 1).subquery()
    return select(func.count()).select_from(some)


def _matching(source: str, search: str) -> Select[Any]:
    statement = select(entries.c.path).where(entries.c.source == source)
    if search:
        statement = statement.where(has(search))
    return statement


def usage() -> Select[Any]:
    """(source, entries, bytes) of each source."""
    blobs = (
        select(
            entries.c.source,
            func.count().label("rows"),
            func.max(entries.c.size).label("size"),
        )
        .group_by(entries.c.source, entries.c.sha256)
        .subquery()
    )
    return select(blobs.c.source, _sum(blobs.c.rows), _sum(blobs.c.size)).group_by(blobs.c.source)


def used(sources: Sequence[str]) -> Select[Any]:
    """Bytes of the blobs that some of the sources have."""
    blobs = (
        select(func.max(entries.c.size).label("size"))
        .where(entries.c.source.in_(sources))
        .group_by(entries.c.sha256)
        .subquery()
    )
    return select(_sum(blobs.c.size))


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    """PostgreSQL would tell it as a decimal."""
    return cast(func.sum(column), BigInteger)


def wanted(keys: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The parameter of ``of_keys`` and ``counts_of``: each (source, path)."""
    return pairs(keys)


def _at(table: Table) -> FromClause:
    """The rows with the wanted (source, path)."""
    row = paired()
    return row.join(table, and_(table.c.path == row.c.second, table.c.source == row.c.first))


of_keys = select(*ENTRY).select_from(_at(entries))
"""Entries by (source, path)."""

held_keys = of_keys.with_for_update(of=entries)
"""As they are, and stay until the transaction ends."""

counts_of = select(
    downloads.c.source, downloads.c.path, downloads.c.times, downloads.c.last_at
).select_from(_at(downloads))
"""(source, path, times, last_at) by (source, path)."""


def counts_by_use(source: str, after: tuple[float, str] | None, limit: int) -> Select[Any]:
    """(last_at, path) of a source, the longest ago first."""
    columns = (downloads.c.last_at, downloads.c.path)
    statement = select(*columns).where(downloads.c.source == source)
    if after is not None:
        statement = statement.where(beyond(columns, *after))
    return statement.order_by(*columns).limit(limit)


def oldest(source: str, after: tuple[float, str] | None, limit: int) -> Select[Any]:
    """Entries of a source, the oldest first."""
    columns = (entries.c.created_at, entries.c.path)
    statement = select(*ENTRY).where(entries.c.source == source)
    if after is not None:
        statement = statement.where(beyond(columns, *after))
    return statement.order_by(*columns).limit(limit)


def counts(after: tuple[str, str] | None, limit: int) -> Select[Any]:
    """(source, path, last_at) in order of the tables' own key; ``after`` is a (source, path)."""
    columns = (downloads.c.path, downloads.c.source)
    statement = select(downloads.c.source, downloads.c.path, downloads.c.last_at)
    if after is not None:
        source, path = after
        statement = statement.where(beyond(columns, path, source))
    return statement.order_by(*columns).limit(limit)


def by_digest(after: tuple[str, str, str], limit: int) -> Select[Any]:
    """Entries in order of (sha256, path, source)."""
    columns = (entries.c.sha256, entries.c.path, entries.c.source)
    return select(*ENTRY).where(beyond(columns, *after)).order_by(*columns).limit(max(limit, 0))


def loose_ones(after: str, limit: int) -> Select[tuple[str]]:
    statement = select(loose.c.sha256).where(loose.c.sha256 > after)
    return statement.order_by(loose.c.sha256).limit(max(limit, 0))

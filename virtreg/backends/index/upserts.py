"""Statements that insert unless something is there: every dialect has its own spelling."""

from __future__ import annotations

from attrs import field, frozen
from sqlalchemy import ColumnElement, bindparam, case, or_, select
from sqlalchemy.engine import Dialect

from virtreg.backends.index.schema import downloads, entries, leases, loose
from virtreg.backends.index.statements import FIELDS
from virtreg.backends.sql.dialects import Insert, insert


@frozen
class Upserts:
    """Built once for a dialect."""

    dialect: Dialect
    put: Insert = field(init=False)
    take_lease: Insert = field(init=False)
    loosen: Insert = field(init=False)
    count: Insert = field(init=False)

    @put.default
    def _put(self) -> Insert:
        rows = insert(self.dialect, entries)
        changed = {name: rows.excluded[name] for name in FIELDS if name not in ("path", "source")}
        return rows.on_conflict_do_update(
            index_elements=[entries.c.path, entries.c.source], set_=changed
        )

    @take_lease.default
    def _take_lease(self) -> Insert:
        """Parameters: those of the row, and ``now``."""
        row = insert(self.dialect, leases)
        return row.on_conflict_do_update(
            index_elements=[leases.c.name],
            set_={"holder": row.excluded.holder, "expires_at": row.excluded.expires_at},
            where=or_(
                leases.c.holder == row.excluded.holder, leases.c.expires_at <= bindparam("now")
            ),
        )

    @loosen.default
    def _loosen(self) -> Insert:
        return insert(self.dialect, loose).on_conflict_do_nothing()

    @count.default
    def _count(self) -> Insert:
        rows = insert(self.dialect, downloads)
        return rows.on_conflict_do_update(
            index_elements=[downloads.c.path, downloads.c.source],
            set_={
                "times": downloads.c.times + rows.excluded.times,
                "last_at": case(
                    (rows.excluded.last_at > downloads.c.last_at, rows.excluded.last_at),
                    else_=downloads.c.last_at,
                ),
            },
        )

    def loosened(self, where: ColumnElement[bool]) -> Insert:
        """Remember the digests of entries that are about to be removed."""
        digests = select(entries.c.sha256).distinct().where(where)
        rows = insert(self.dialect, loose).from_select(["sha256"], digests)
        return rows.on_conflict_do_nothing()

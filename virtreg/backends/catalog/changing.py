"""One change of the catalog, all of it or nothing."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from sqlalchemy import Connection, Row, Table, select, update

from virtreg.backends.catalog import schema
from virtreg.backends.catalog.guesses import Guesses
from virtreg.backends.catalog.limits import ManagementLimits
from virtreg.backends.catalog.sealing import Sealer
from virtreg.backends.catalog.snapshot import Snapshot
from virtreg.errors import Conflict, NotFound, OutOfDate


@define(eq=False)
class Change:
    """What there was, and the transaction that makes it something else."""

    connection: Connection
    before: Snapshot
    now: float
    limits: ManagementLimits
    sealer: Sealer
    guesses: Guesses
    idle: bool = False
    """Set when there was nothing to change."""
    after: Snapshot = field(init=False)
    """There once the change is made."""

    def __attrs_post_init__(self) -> None:
        self.after = self.before

    def registry(self, registry_id: int, unmodified_since: float | None = None) -> Row[Any]:
        """One that may be changed. Raises NotFound, Conflict for a declared one, OutOfDate."""
        self.need_registry(registry_id)
        return self._free(schema.registries, "registry", registry_id, unmodified_since)

    def upstream(self, upstream_id: int, unmodified_since: float | None = None) -> Row[Any]:
        """As ``registry``."""
        self.need_upstream(upstream_id)
        return self._free(schema.upstreams, "upstream", upstream_id, unmodified_since)

    def need_registry(self, registry_id: int) -> None:
        """Raises NotFound."""
        if registry_id not in self.before.registries:
            raise NotFound(f"there is no registry {registry_id}")

    def need_upstream(self, upstream_id: int) -> None:
        """Raises NotFound."""
        if upstream_id not in self.before.upstreams:
            raise NotFound(f"there is no upstream {upstream_id}")

    def touch(self, table: Table, number: int) -> None:
        """Registry or upstream ``number`` is changed now."""
        self.connection.execute(
            update(table).where(table.c.id == number).values(updated_at=self.now)
        )

    def _free(
        self, table: Table, what: str, number: int, unmodified_since: float | None
    ) -> Row[Any]:
        row = self.connection.execute(select(table).where(table.c.id == number)).one()
        if row.declared:
            raise Conflict(
                f"{what} {row.name!r} is declared in the server's configuration file;"
                " change it there"
            )
        # HTTP's dates have whole seconds.
        if unmodified_since is not None and int(row.updated_at) > unmodified_since:
            raise OutOfDate(f"{what} {number} was changed since")
        return row

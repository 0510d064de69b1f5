"""The database's picture of what the configuration file declares: ids, and nothing secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from virtreg.backends.catalog.associations import remove
from virtreg.backends.catalog.names import numbered
from virtreg.backends.catalog.rows import association_of, declared_row
from virtreg.backends.catalog.schema import associations, numbers, registries, upstreams
from virtreg.errors import ConfigError
from virtreg.model import RegistrySpec

_Order = dict[int, list[int]]


def mirror(connection: Connection, declared: Sequence[RegistrySpec], now: float) -> bool:
    """Make the picture that of ``declared``; whether it was another one.

    Upstreams keep their ids by name, and their rows when they are declared no more; places keep
    theirs by registry and upstream. Raises ConfigError where what is stored is in the way.
    """
    _check(connection, declared)
    ids, changed = _upstreams(connection, declared, now)
    wanted = {spec.id: [ids[each.name] for each in spec.upstreams] for spec in declared}
    if _registries(connection, declared, now, wanted):
        changed = True
    highest = max((spec.id for spec in declared), default=0)
    behind = update(numbers).where(numbers.c.registry_id < highest)
    connection.execute(behind.values(registry_id=highest))
    return changed


def _check(connection: Connection, declared: Sequence[RegistrySpec]) -> None:
    stored = connection.execute(select(registries).where(~registries.c.declared)).all()
    by_id = {row.id: row for row in stored}
    by_slug = {row.slug: row for row in stored}
    for spec in declared:
        if (other := by_id.get(spec.id)) is not None:
            raise ConfigError(
                f"registry {spec.name!r}: the id {spec.id} is that of the stored registry"
                f" {other.name!r} of group {other.group!r}; give it another `id`"
            )
        if (other := by_slug.get(spec.name)) is not None:
            raise ConfigError(
                f"registry {spec.name!r}: registry {other.id}, which is stored, has this name in"
                " URLs; give one of them another name"
            )


def _upstreams(
    connection: Connection, declared: Sequence[RegistrySpec], now: float
) -> tuple[dict[str, int], bool]:
    """Their ids by name, and whether anything had to change."""
    kept = {row.slug: row for row in connection.execute(select(upstreams))}
    ids: dict[str, int] = {}
    changed = False
    for spec in declared:
        for upstream in spec.upstreams:
            if upstream.name in ids:
                continue
            wanted = declared_row(upstream.name, spec.group, spec.format, upstream)
            row = kept.get(upstream.name)
            if row is not None and not row.declared:
                slug = numbered(row.name, row.id)
                _set(connection, row, slug=slug)
                row = None
            if row is not None and row.format != spec.format:
                # Rules and stored registries are of the other format.
                _forget(connection, row)
                row = None
            if row is None:
                fresh = insert(upstreams).values(
                    **wanted, generation=0, created_at=now, updated_at=now
                )
                ids[upstream.name] = connection.execute(
                    fresh.returning(upstreams.c.id)
                ).scalar_one()
                changed = True
                continue
            ids[upstream.name] = row.id
            if any(getattr(row, name) != value for name, value in wanted.items()):
                _set(connection, row, **wanted, updated_at=now)
                changed = True
    return ids, changed


def _registries(
    connection: Connection, declared: Sequence[RegistrySpec], now: float, wanted: _Order
) -> bool:
    """Replace them all unless they are there: a file that is edited may exchange their ids."""
    kept = {
        row.slug: row for row in connection.execute(select(registries).where(registries.c.declared))
    }
    places = connection.execute(
        select(associations, registries.c.slug)
        .join(registries)
        .where(registries.c.declared)
        .order_by(associations.c.position)
    ).all()
    rows = {spec.name: _row(spec) for spec in declared}
    same = kept.keys() == rows.keys() and all(_same(kept[name], row) for name, row in rows.items())
    if same and _order(places) == {number: order for number, order in wanted.items() if order}:
        return False
    place_ids = {(place.slug, place.upstream_id): place.id for place in places}
    connection.execute(delete(registries).where(registries.c.declared))
    for spec in declared:
        row, before = rows[spec.name], kept.get(spec.name)
        changed = before is None or not _same(before, row)
        row["created_at"] = now if before is None else before.created_at
        row["updated_at"] = now if before is None or changed else before.updated_at
        connection.execute(insert(registries).values(**row))
        for position, number in enumerate(wanted[spec.id], 1):
            values = {"registry_id": spec.id, "upstream_id": number, "position": position}
            if (spec.name, number) in place_ids:
                values["id"] = place_ids[spec.name, number]
            connection.execute(insert(associations).values(**values))
    return True


def _forget(connection: Connection, row: Row[Any]) -> None:
    listed = select(associations).where(associations.c.upstream_id == row.id)
    for place in connection.execute(listed).all():
        remove(connection, association_of(place))
    connection.execute(delete(upstreams).where(upstreams.c.id == row.id))


def _row(spec: RegistrySpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "group": spec.group,
        "format": spec.format,
        "name": spec.name,
        "slug": spec.name,
        "description": spec.description,
        "order": spec.order,
        "declared": True,
    }


def _same(row: Row[Any], wanted: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in wanted.items())


def _order(places: Sequence[Row[Any]]) -> _Order:
    found: _Order = {}
    for place in places:
        found.setdefault(place.registry_id, []).append(place.upstream_id)
    return found


def _set(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(update(upstreams).where(upstreams.c.id == row.id).values(**values))

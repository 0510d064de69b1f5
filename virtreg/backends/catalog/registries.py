"""Changes of registries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, true, update

from virtreg.backends.catalog.changing import Change
from virtreg.backends.catalog.checks import REGISTRY, check
from virtreg.backends.catalog.names import registry_slug
from virtreg.backends.catalog.rows import ownership_row
from virtreg.backends.catalog.rules import need_pattern
from virtreg.backends.catalog.schema import generations, numbers, ownerships, registries, upstreams
from virtreg.errors import Invalid
from virtreg.model import Ownership


def add(change: Change, group: str, format_name: str, fields: Mapping[str, Any]) -> int:
    """The id. Raises Invalid."""
    check({"name": "", **fields}, REGISTRY)
    of_group = [
        each
        for each in change.before.registries.values()
        if (each.spec.group, each.spec.format) == (group, format_name)
    ]
    most = change.limits.registries_of(format_name)
    if len(of_group) >= most:
        raise Invalid({"group": [f"{most} registries is the maximum allowed per group."]})
    _need_free(change, group, format_name, fields["name"])
    grown = update(numbers).values(registry_id=numbers.c.registry_id + 1)
    number: int = change.connection.execute(grown.returning(numbers.c.registry_id)).scalar_one()
    change.connection.execute(
        insert(registries).values(
            id=number,
            group=group,
            format=format_name,
            name=fields["name"],
            slug=_slug(change, fields["name"], number),
            description=fields.get("description") or "",
            order=fields.get("order", "cached"),
            declared=False,
            created_at=change.now,
            updated_at=change.now,
        )
    )
    return number


def alter(
    change: Change, number: int, fields: Mapping[str, Any], unmodified_since: float | None
) -> None:
    """Raises Invalid and what ``Change.registry`` does."""
    row = change.registry(number, unmodified_since)
    check(fields, REGISTRY)
    values = dict(fields)
    if "description" in values:
        values["description"] = values["description"] or ""
    if values.get("name", row.name) != row.name:
        _need_free(change, row.group, row.format, values["name"])
        values["slug"] = _slug(change, values["name"], number)
    statement = update(registries).where(registries.c.id == number)
    change.connection.execute(statement.values(**values, updated_at=change.now))


def remove(change: Change, number: int, unmodified_since: float | None) -> None:
    """With the stored upstreams that no other registry lists."""
    change.registry(number, unmodified_since)
    orphans = [
        each
        for each in change.before.exclusive(number)
        if not change.before.upstreams[each].declared
    ]
    change.connection.execute(delete(registries).where(registries.c.id == number))
    change.connection.execute(delete(upstreams).where(upstreams.c.id.in_(orphans)))


def purge(change: Change, number: int) -> None:
    """Raises NotFound."""
    change.need_registry(number)
    connection = change.connection
    slug = change.before.registries[number].spec.name
    of_slug = generations.c.slug == slug
    grown = update(generations).where(of_slug).values(number=generations.c.number + 1)
    if not connection.execute(grown).rowcount:
        connection.execute(insert(generations).values(slug=slug, number=1))
    for upstream_id in change.before.exclusive(number):
        grow(connection, upstream_id)


def grow(connection: Connection, upstream_id: int) -> None:
    """What an upstream's cache holds is of the past."""
    statement = update(upstreams).where(upstreams.c.id == upstream_id)
    connection.execute(statement.values(generation=upstreams.c.generation + 1))


def own(change: Change, number: int, wanted: Iterable[Ownership]) -> None:
    """Replace the ownerships. Raises Invalid and what ``Change.registry`` does."""
    change.registry(number)
    names = {
        change.before.upstreams[each.upstream_id].spec.name: each.upstream_id
        for each in change.before.orders.get(number, ())
    }
    rows = []
    for position, ownership in enumerate(wanted, 1):
        need_pattern(ownership)
        if not ownership.upstreams:
            raise Invalid({"upstreams": ["can't be blank"]})
        for name in ownership.upstreams:
            if name not in names:
                raise Invalid({"upstreams": [f"has {name!r}, which this registry does not list"]})
        owners = [names[name] for name in ownership.upstreams]
        rows.append(ownership_row(number, position, ownership, owners))
    change.connection.execute(delete(ownerships).where(ownerships.c.registry_id == number))
    if rows:
        change.connection.execute(insert(ownerships), rows)
    change.touch(registries, number)


def _need_free(change: Change, group: str, format_name: str, name: str) -> None:
    same = (
        registries.c.group == group,
        registries.c.format == format_name,
        registries.c.name == name,
    )
    if change.connection.scalar(select(true()).where(*same).limit(1)):
        raise Invalid({"group_id": ["has already been taken"]})


def _slug(change: Change, name: str, number: int) -> str:
    def taken(slug: str) -> bool:
        other = (registries.c.slug == slug, registries.c.id != number)
        return change.connection.scalar(select(true()).where(*other).limit(1)) is not None

    return registry_slug(name, number, taken)

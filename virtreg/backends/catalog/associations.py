"""The order of upstreams in registries: positions from 1, without gaps."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from virtreg.backends.catalog.changing import Change
from virtreg.backends.catalog.local import need_no_ring
from virtreg.backends.catalog.schema import associations
from virtreg.errors import Conflict, Invalid, NotFound
from virtreg.managed import Association

_position = associations.c.position


def add(change: Change, registry_id: int, upstream_id: int) -> int:
    """The id of the last place. Raises NotFound, also for an upstream of another group or format,
    Conflict for a declared registry, Invalid."""
    registry = change.registry(registry_id)
    change.need_upstream(upstream_id)
    upstream = change.before.upstreams[upstream_id]
    if (upstream.group, upstream.format) != (registry.group, registry.format):
        raise NotFound(f"there is no upstream {upstream_id}")
    listed = (each.upstream_id for each in change.before.orders.get(registry_id, ()))
    if upstream_id in listed:
        raise Invalid({"upstream_id": ["has already been taken"]})
    if upstream.spec.registry:
        need_no_ring(change, registry_id, upstream.spec.registry, "upstream_id")
    need_room(change, registry_id, "position")
    return append(change, registry_id, upstream_id)


def need_room(change: Change, registry_id: int, field: str) -> None:
    """Raises Invalid, about ``field``, for a registry that is full."""
    most = change.limits.upstreams_of(change.before.registries[registry_id].spec.format)
    if _last(change.connection, registry_id) >= most:
        raise Invalid({field: [f"must be less than or equal to {most}"]})


def append(change: Change, registry_id: int, upstream_id: int) -> int:
    """The id of the last place, which the upstream gets."""
    number: int = change.connection.execute(
        insert(associations)
        .values(
            registry_id=registry_id,
            upstream_id=upstream_id,
            position=_last(change.connection, registry_id) + 1,
        )
        .returning(associations.c.id)
    ).scalar_one()
    return number


def move(change: Change, number: int, position: int) -> None:
    """Those between the old place and the new one move by one. Past the end is the end.

    Raises NotFound, Conflict for a declared registry, Invalid for what no registry may have.
    """
    place = find(change, number)
    change.registry(place.registry_id)
    most = change.limits.upstreams_of(change.before.registries[place.registry_id].spec.format)
    if position < 1:
        raise Invalid({"position": ["must be greater than or equal to 1"]})
    if position > most:
        raise Invalid({"position": [f"must be less than or equal to {most}"]})
    old, new = place.position, min(position, _last(change.connection, place.registry_id))
    if old == new:
        change.idle = True
        return
    between = _position.between(old + 1, new) if old < new else _position.between(new, old - 1)
    here = associations.c.registry_id == place.registry_id
    step = -1 if old < new else 1
    change.connection.execute(
        update(associations).where(here, between).values(position=_position + step)
    )
    change.connection.execute(
        update(associations).where(associations.c.id == number).values(position=new)
    )


def disassociate(change: Change, number: int) -> None:
    """Raises NotFound, and Conflict for a declared registry or a sole owner."""
    place = find(change, number)
    change.registry(place.registry_id)
    need_no_owner(change, place)
    remove(change.connection, place)


def remove(connection: Connection, place: Association) -> None:
    """Those behind move up."""
    connection.execute(delete(associations).where(associations.c.id == place.id))
    behind = (associations.c.registry_id == place.registry_id, _position > place.position)
    connection.execute(update(associations).where(*behind).values(position=_position - 1))


def need_no_owner(change: Change, place: Association) -> None:
    """Raises Conflict where something comes from this upstream alone: without it, it would come
    from the others."""
    registry = change.before.registries[place.registry_id]
    name = change.before.upstreams[place.upstream_id].spec.name
    for each in registry.spec.ownerships:
        if each.upstreams == (name,):
            raise Conflict(
                f"registry {registry.name!r} takes {each.target_coordinate} {each.pattern!r} from"
                f" upstream {name!r} alone; change the registry's ownerships first"
            )


def find(change: Change, number: int) -> Association:
    """Raises NotFound."""
    place = change.before.associations.get(number)
    if place is None:
        raise NotFound(f"there is no registry upstream {number}")
    return place


def _last(connection: Connection, registry_id: int) -> int:
    here = associations.c.registry_id == registry_id
    return connection.scalar(select(func.max(_position)).where(here)) or 0

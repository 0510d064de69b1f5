"""What may be an upstream among the registries of the same server."""

from __future__ import annotations

from typing import Any

from virtreg.backends.catalog.changing import Change
from virtreg.core.nesting import MOST_NESTED, too_deep
from virtreg.errors import Invalid
from virtreg.managed import ManagedRegistry


def need_target(change: Change, registry_id: int, target_id: int) -> ManagedRegistry:
    """The registry that is to be an upstream of another one. Raises Invalid."""
    registry, target = (change.before.registries.get(each) for each in (registry_id, target_id))
    assert registry is not None
    if target is None or target.spec.format != registry.spec.format:
        raise Invalid({"local_registry_id": ["is no registry of this format"]})
    for other in change.before.upstreams.values():
        same = (other.group, other.format) == (registry.spec.group, registry.spec.format)
        if same and other.spec.registry == target.spec.name:
            raise Invalid({"local_registry_id": ["is an upstream of the group already"]})
    need_no_ring(change, registry_id, target.spec.name, "local_registry_id")
    return target


def place_of(target: ManagedRegistry) -> dict[str, Any]:
    """The columns that say which registry it is."""
    if target.declared:
        return {"local_registry": target.spec.name}
    return {"local_registry_id": target.spec.id}


def need_no_ring(change: Change, registry_id: int, target: str, field: str) -> None:
    """Raises Invalid about a field where a registry cannot list another one, by its name, without
    registries being upstreams of each other, or too deep."""
    before = change.before
    nesting = {
        each.spec.name: [
            name
            for place in before.orders.get(number, ())
            if (name := before.upstreams[place.upstream_id].spec.registry)
        ]
        for number, each in before.registries.items()
    }
    own = before.registries[registry_id].spec
    nesting[own.name].append(target)
    way = too_deep(nesting)
    if way is None:
        return
    # Registries of other groups are not for everybody to know.
    groups = {each.spec.name: each.spec.group for each in before.registries.values()}
    known = {own.group, groups.get(target)}
    shown = " -> ".join(name if groups[name] in known else "…" for name in way)
    if way[0] == way[-1]:
        raise Invalid({field: [f"would make registries upstreams of each other: {shown}"]})
    raise Invalid({field: [f"would be more than {MOST_NESTED} registries deep: {shown}"]})

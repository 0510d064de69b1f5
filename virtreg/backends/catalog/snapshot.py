"""All registries and upstreams as they were at one revision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Connection, Row, select

from virtreg.backends.catalog import schema
from virtreg.backends.catalog.rows import (
    association_of,
    declared_spec,
    ownership_of,
    registry_spec,
    rule_of,
    upstream_of,
    upstream_spec,
)
from virtreg.backends.catalog.sealing import Sealer
from virtreg.backends.catalog.targets import Targets
from virtreg.managed import Association, ManagedRegistry, ManagedUpstream
from virtreg.model import RegistrySpec, Rule, UpstreamSpec


@frozen(eq=False, slots=False)
class Snapshot:
    """Immutable. What a file declared once and does not any more is not in it."""

    revision: int
    registries: Mapping[int, ManagedRegistry]
    """In order of their ids."""
    upstreams: Mapping[int, ManagedUpstream]
    associations: Mapping[int, Association]
    specs: tuple[RegistrySpec, ...]
    """By id; declared ones whether or not the database knows them."""
    sealed: bool
    """Whether a password does not open: keys may be back at any time."""

    @cached_property
    def orders(self) -> Mapping[int, Sequence[Association]]:
        """By registry, best position first."""
        found: dict[int, list[Association]] = defaultdict(list)
        for each in sorted(self.associations.values(), key=lambda each: each.position):
            found[each.registry_id].append(each)
        return MappingProxyType(found)

    @cached_property
    def users(self) -> Mapping[int, Sequence[Association]]:
        """By upstream, in order of ids."""
        found: dict[int, list[Association]] = defaultdict(list)
        for each in sorted(self.associations.values(), key=lambda each: each.id):
            found[each.upstream_id].append(each)
        return MappingProxyType(found)

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, str]]:
        """Group and format of whatever keeps entries in the index."""
        found = {each.spec.key: (each.group, each.format) for each in self.upstreams.values()}
        for spec in self.specs:
            for key in (spec.key, *(upstream.key for upstream in spec.upstreams)):
                found.setdefault(key, (spec.group, spec.format))
        return MappingProxyType(found)

    def exclusive(self, registry_id: int) -> list[int]:
        """Upstreams that no other registry lists."""
        listed = [each.upstream_id for each in self.orders.get(registry_id, ())]
        return [number for number in listed if len(self.users[number]) == 1]


def take(connection: Connection, declared: Sequence[RegistrySpec], sealer: Sealer) -> Snapshot:
    """What the database says now, with the secrets of ``declared`` from memory."""
    revision = connection.scalar(select(schema.numbers.c.revision)) or 0
    rules = _rules(connection)
    rows = connection.execute(select(schema.upstreams).order_by("id")).all()
    sealed = {row.id: row.password for row in rows if row.password is not None}
    opened = sealer.opened(sealed)
    in_file = {each.name: each for spec in declared for each in spec.upstreams}
    targets = _targets(connection, declared)
    upstreams: dict[int, ManagedUpstream] = {}
    for row in rows:
        if not row.declared:
            spec = upstream_spec(row, opened.get(row.id), rules.get(row.id, ()), targets.name(row))
            if row.id in sealed and row.id not in opened:
                spec = evolve(spec, unusable="its password does not open")
        elif row.slug in in_file:
            spec = declared_spec(in_file[row.slug], row, rules.get(row.id, ()))
        else:
            continue
        upstreams[row.id] = upstream_of(row, spec)
    order = select(schema.associations).order_by("registry_id", "position")
    associations = [
        association_of(row) for row in connection.execute(order) if row.upstream_id in upstreams
    ]
    registries, specs = _registries(connection, declared, upstreams, associations)
    kept = {each.id: each for each in associations if each.registry_id in registries}
    return Snapshot(
        revision,
        registries,
        upstreams,
        kept,
        specs,
        len(opened) < len(sealed),
    )


def _targets(connection: Connection, declared: Sequence[RegistrySpec]) -> Targets:
    kept = select(schema.registries).where(~schema.registries.c.declared)
    return Targets(
        {row.id: (row.slug, row.format) for row in connection.execute(kept)},
        {spec.name: spec.format for spec in declared},
    )


def _rules(connection: Connection) -> dict[int, tuple[Rule, ...]]:
    found: dict[int, tuple[Rule, ...]] = {}
    for row in connection.execute(select(schema.rules).order_by("id")):
        found[row.upstream_id] = (*found.get(row.upstream_id, ()), rule_of(row))
    return found


def _registries(
    connection: Connection,
    declared: Sequence[RegistrySpec],
    upstreams: Mapping[int, ManagedUpstream],
    associations: Sequence[Association],
) -> tuple[dict[int, ManagedRegistry], tuple[RegistrySpec, ...]]:
    generations = {row.slug: row.number for row in connection.execute(select(schema.generations))}
    as_kept = {each.spec.name: each.spec for each in upstreams.values() if each.declared}
    in_file = {spec.name: _merged(spec, as_kept, generations) for spec in declared}
    members: dict[int, list[ManagedUpstream]] = defaultdict(list)
    for each in associations:
        members[each.registry_id].append(upstreams[each.upstream_id])
    owned: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(schema.ownerships).order_by("registry_id", "position")):
        owned[row.registry_id].append(row)
    registries: dict[int, ManagedRegistry] = {}
    stored: list[RegistrySpec] = []
    for row in connection.execute(select(schema.registries).order_by("id")):
        if row.declared:
            spec = in_file.get(row.slug)
            if spec is None or spec.id != row.id:
                continue
        else:
            listed = members[row.id]
            names = {each.id: each.spec.name for each in listed}
            spec = registry_spec(
                row,
                tuple(each.spec for each in listed),
                tuple(ownership_of(each, names) for each in owned[row.id]),
                generations.get(row.slug, 0),
            )
            stored.append(
                spec if all(each.upstreams for each in spec.ownerships) else _closed(spec)
            )
        registries[row.id] = ManagedRegistry(
            spec, row.name, row.declared, row.created_at, row.updated_at
        )
    specs = sorted((*in_file.values(), *stored), key=lambda spec: spec.id)
    return registries, tuple(specs)


def _closed(spec: RegistrySpec) -> RegistrySpec:
    """What an upstream owns that is gone from the configuration file is not for others to answer
    for: nothing is served until somebody decides."""
    return evolve(spec, upstreams=(), ownerships=())


def _merged(
    spec: RegistrySpec, as_kept: Mapping[str, UpstreamSpec], generations: Mapping[str, int]
) -> RegistrySpec:
    upstreams = tuple(as_kept.get(each.name, each) for each in spec.upstreams)
    return evolve(spec, upstreams=upstreams, generation=generations.get(spec.name, 0))

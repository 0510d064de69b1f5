"""Between the values of the catalog and the rows of its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve
from sqlalchemy import Row

from virtreg.backends.catalog.checks import SETTINGS
from virtreg.managed import Association, CleanupPolicy, GroupSettings, ManagedUpstream, Reclaimed
from virtreg.model import Ownership, RegistrySpec, Rule, Secret, UpstreamSpec


def upstream_of(row: Row[Any], spec: UpstreamSpec) -> ManagedUpstream:
    return ManagedUpstream(
        id=row.id,
        spec=spec,
        name=row.name,
        group=row.group,
        format=row.format,
        description=row.description,
        declared=row.declared,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def upstream_spec(
    row: Row[Any], password: Secret | None, rules: tuple[Rule, ...], registry: str | None = None
) -> UpstreamSpec:
    """Of one that is stored."""
    return UpstreamSpec(
        name=row.slug,
        url=row.url,
        username=row.username,
        password=password,
        cache_validity_hours=row.cache_validity_hours,
        metadata_cache_validity_hours=row.metadata_cache_validity_hours,
        rules=rules,
        registry=registry,
        id=row.id,
        generation=row.generation,
        **json.loads(row.settings),
    )


def registry_spec(
    row: Row[Any],
    upstreams: tuple[UpstreamSpec, ...],
    ownerships: tuple[Ownership, ...],
    generation: int,
) -> RegistrySpec:
    """Of one that is stored."""
    return RegistrySpec(
        id=row.id,
        name=row.slug,
        format=row.format,
        upstreams=upstreams,
        order=row.order,
        description=row.description,
        group=row.group,
        ownerships=ownerships,
        generation=generation,
    )


def declared_row(name: str, group: str, format_name: str, spec: UpstreamSpec) -> dict[str, Any]:
    """What is kept of a declared upstream: nothing that is secret."""
    return {
        "group": group,
        "format": format_name,
        "name": name,
        "slug": name,
        "url": spec.url,
        "description": "",
        "username": None,
        "password": None,
        "cache_validity_hours": float(spec.cache_validity_hours),
        "metadata_cache_validity_hours": float(spec.metadata_cache_validity_hours),
        "settings": settings_text({key: getattr(spec, key) for key in SETTINGS}),
        "declared": True,
        "local_registry_id": None,
        "local_registry": None,
    }


def settings_text(values: Mapping[str, Any]) -> str:
    """Of the fields that are kept together; others are left out."""
    return json.dumps({key: values[key] for key in SETTINGS if key in values})


def association_of(row: Row[Any]) -> Association:
    return Association(row.id, row.registry_id, row.upstream_id, row.position)


def rule_of(row: Row[Any]) -> Rule:
    return Rule(row.rule_type, row.target_coordinate, row.pattern, row.pattern_type, id=row.id)


def rule_row(upstream_id: int, rule: Rule) -> dict[str, Any]:
    return {
        "upstream_id": upstream_id,
        "rule_type": rule.rule_type,
        "target_coordinate": rule.target_coordinate,
        "pattern": rule.pattern,
        "pattern_type": rule.pattern_type,
    }


def ownership_of(row: Row[Any], names: Mapping[int, str]) -> Ownership:
    """``names`` are those of the registry's upstreams, by id. No names: its owners are gone."""
    owners = tuple(names[number] for number in json.loads(row.upstreams) if number in names)
    return Ownership(row.target_coordinate, row.pattern, owners, row.pattern_type)


def ownership_row(
    registry_id: int, position: int, ownership: Ownership, owners: Sequence[int]
) -> dict[str, Any]:
    return {
        "registry_id": registry_id,
        "position": position,
        "target_coordinate": ownership.target_coordinate,
        "pattern": ownership.pattern,
        "pattern_type": ownership.pattern_type,
        "upstreams": json.dumps(list(owners)),
    }


def policy_of(row: Row[Any]) -> CleanupPolicy:
    return CleanupPolicy(
        group=row.group,
        created_at=row.created_at,
        updated_at=row.updated_at,
        enabled=row.enabled,
        keep_n_days_after_download=row.keep_n_days_after_download,
        cadence=row.cadence,
        keep_bytes=row.keep_bytes,
        next_run_at=row.next_run_at,
        last_run_at=row.last_run_at,
        last_run=Reclaimed(row.last_run_entries, row.last_run_size),
        last_run_by_format=tuple(
            (format_name, Reclaimed(entries, size))
            for format_name, entries, size in json.loads(row.last_run_by_format)
        ),
        status=row.status,
        failure_message=row.failure_message,
    )


def policy_row(policy: CleanupPolicy) -> dict[str, Any]:
    by_format = [
        [format_name, reclaimed.entries, reclaimed.size]
        for format_name, reclaimed in policy.last_run_by_format
    ]
    return {
        "created_at": policy.created_at,
        "updated_at": policy.updated_at,
        "enabled": policy.enabled,
        "keep_n_days_after_download": policy.keep_n_days_after_download,
        "cadence": policy.cadence,
        "keep_bytes": policy.keep_bytes,
        "next_run_at": policy.next_run_at,
        "last_run_at": policy.last_run_at,
        "last_run_entries": policy.last_run.entries,
        "last_run_size": policy.last_run.size,
        "last_run_by_format": json.dumps(by_format),
        "status": policy.status,
        "failure_message": policy.failure_message,
    }


def settings_of(row: Row[Any]) -> GroupSettings:
    return GroupSettings(row.group, row.storage_quota, row.when_full)


def settings_row(settings: GroupSettings) -> dict[str, Any]:
    return {"storage_quota": settings.storage_quota, "when_full": settings.when_full}


def declared_spec(spec: UpstreamSpec, row: Row[Any], rules: tuple[Rule, ...]) -> UpstreamSpec:
    """As the file has it, with what is stored beside."""
    return evolve(spec, rules=(*spec.rules, *rules), generation=row.generation)

"""What a registry takes from certain of its upstreams alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from attrs import frozen
from msgspec import Meta, Struct

from virtreg.errors import Invalid
from virtreg.managed import ManagedRegistry
from virtreg.model import Ownership
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.rules import (
    ContainerTarget,
    MavenTarget,
    Pattern,
    PatternType,
    checked_pattern,
)
from virtreg.wsgi.api.sent import Number

MOST = 100
"""Ownerships a registry may have."""


class OwnershipOfRegistry(Struct, kw_only=True):
    target_coordinate: str
    pattern: Pattern
    pattern_type: PatternType = "wildcard"
    upstream_ids: Annotated[
        list[Number],
        Meta(
            min_length=1,
            max_length=100,
            description="Where it matches, these alone may answer; they are the registry's own.",
        ),
    ]


class MavenOwnership(OwnershipOfRegistry, kw_only=True):
    target_coordinate: MavenTarget


class ContainerOwnership(OwnershipOfRegistry, kw_only=True):
    target_coordinate: ContainerTarget


class MavenOwnerships(Struct, kw_only=True):
    ownerships: Annotated[list[MavenOwnership], Meta(max_length=MOST)]


class ContainerOwnerships(Struct, kw_only=True):
    ownerships: Annotated[list[ContainerOwnership], Meta(max_length=MOST)]


class OwnershipShown(Struct, kw_only=True):
    target_coordinate: str
    pattern: str
    pattern_type: PatternType
    upstream_ids: list[int]


class OwnershipsShown(Struct, kw_only=True):
    ownerships: list[OwnershipShown]


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Ownerships(parts, flavour).offer()]


@frozen(eq=False)
class _Ownerships:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        path = f"{self.flavour.root}/registries/{{id}}/ownerships"
        title = f"{self.flavour.title} virtual registry"
        yield Endpoint(
            "GET",
            path,
            f"Show what a {title} takes from certain upstreams alone",
            self.show,
            gives=OwnershipsShown,
            documented=False,
        )
        yield Endpoint(
            "PUT",
            path,
            f"Set what a {title} takes from certain upstreams alone",
            self.replace,
            body=MavenOwnerships if self.flavour.metadata else ContainerOwnerships,
            gives=OwnershipsShown,
            action="configure",
            documented=False,
        )

    def show(self, call: Call) -> Answer:
        registry, _ = call.allow("read", self.parts.registry_of(call, self.flavour))
        return self._whole(registry)

    def replace(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        sent: Any = call.body
        wanted = self._wanted(registry, sent.ownerships)
        changed = self.parts.catalog.set_ownerships(registry.spec.id, wanted)
        spec = registry.spec
        self.parts.tell(call, who, "ownerships", spec.id, "changed", registry=spec.name)
        return self._whole(changed)

    def _wanted(
        self, registry: ManagedRegistry, sent: Sequence[OwnershipOfRegistry]
    ) -> list[Ownership]:
        """Raises Invalid."""
        names = {number: name for name, number in self._numbers(registry).items()}
        wanted = []
        for at, each in enumerate(sent):
            where = f"ownerships[{at}]"
            checked_pattern(
                each.pattern, each.pattern_type, each.target_coordinate, f"{where}.pattern"
            )
            for number in each.upstream_ids:
                if number not in names:
                    text = f"has {number}, which is no upstream of the registry"
                    raise Invalid({f"{where}.upstream_ids": [text]})
            owners = tuple(names[number] for number in dict.fromkeys(each.upstream_ids))
            wanted.append(
                Ownership(each.target_coordinate, each.pattern, owners, each.pattern_type)
            )
        return wanted

    def _whole(self, registry: ManagedRegistry) -> Answer:
        numbers = self._numbers(registry)
        return Answer(
            OwnershipsShown(
                ownerships=[
                    OwnershipShown(
                        target_coordinate=each.target_coordinate,
                        pattern=each.pattern,
                        pattern_type=each.pattern_type,
                        upstream_ids=[numbers[name] for name in each.upstreams],
                    )
                    for each in registry.spec.ownerships
                ]
            )
        )

    def _numbers(self, registry: ManagedRegistry) -> dict[str, int]:
        """Of the registry's upstreams, by the name by which they are one of a kind."""
        listed = self.parts.catalog.upstreams_of(registry.spec.id)
        return {upstream.spec.name: upstream.id for _, upstream in listed}

"""Which upstreams a registry has, and in which order they are asked."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from virtreg.managed import Association, ManagedRegistry
from virtreg.model import Principal
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.local import need_readable
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sent import AssociationNew, Position
from virtreg.wsgi.api.showing import associated
from virtreg.wsgi.api.shown import Associated


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Associations(parts, flavour).offer()]


@frozen(eq=False)
class _Associations:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        every = f"{self.flavour.root}/registry_upstreams"
        one = f"{every}/{{id}}"
        title = f"{self.flavour.title} registry"
        yield Endpoint(
            "POST",
            every,
            f"Put an upstream into a {title}, after all others",
            self.create,
            body=AssociationNew,
            gives=Associated,
            status=201,
            action="configure",
        )
        yield Endpoint(
            "PATCH",
            one,
            f"Move an upstream of a {title} to another position",
            self.move,
            body=Position,
            gives=Associated,
            action="configure",
        )
        yield Endpoint(
            "DELETE",
            one,
            f"Take an upstream out of a {title}; the upstream stays",
            self.remove,
            status=204,
            action="configure",
        )

    def create(self, call: Call) -> Answer:
        sent = call.sent(AssociationNew)
        catalog = self.parts.catalog
        registry, who = call.allow(
            "configure", self.flavour.own_registry(catalog.registry(sent.registry_id))
        )
        upstream = self.flavour.own_upstream(catalog.upstream(sent.upstream_id))
        # Of another group it is as if it were not there, whatever the caller may do with it.
        there = upstream is not None and upstream.group == registry.spec.group
        upstream, _ = call.allow("configure", upstream if there else None)
        if (target := upstream.spec.registry) is not None:
            need_readable(call, self.parts.registry_named(target))
        made = catalog.associate(registry.spec.id, upstream.id)
        self._tell(call, who, made, registry, f"added at {made.position}")
        return Answer(associated(made), status=201)

    def move(self, call: Call) -> Answer:
        found, registry = self._find(call)
        registry, who = call.allow("configure", registry)
        moved = self.parts.catalog.move(found, call.sent(Position).position)
        self._tell(call, who, moved, registry, f"moved to {moved.position}")
        return Answer(associated(moved))

    def remove(self, call: Call) -> Answer:
        found, registry = self._find(call)
        registry, who = call.allow("configure", registry)
        self.parts.catalog.disassociate(found)
        self.parts.tell(call, who, "association", found, "removed", registry=registry.spec.name)
        return NOTHING

    def _find(self, call: Call) -> tuple[int, ManagedRegistry | None]:
        """The number that is asked for, and the registry it belongs to, if there is one."""
        found = self.parts.catalog.association(call.id())
        registry = None if found is None else self.parts.catalog.registry(found.registry_id)
        return call.id(), self.flavour.own_registry(registry)

    def _tell(
        self,
        call: Call,
        who: Principal,
        association: Association,
        registry: ManagedRegistry,
        change: str,
    ) -> None:
        self.parts.tell(
            call, who, "association", association.id, change, registry=registry.spec.name
        )

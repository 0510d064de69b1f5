"""The registries of a group."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from virtreg.managed import ManagedRegistry
from virtreg.model import Principal
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.parameters import given
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sent import RegistryChange, RegistryNew
from virtreg.wsgi.api.showing import Showing
from virtreg.wsgi.api.shown import Registry, RegistryWhole


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Registries(parts, flavour).offer()]


@frozen(eq=False)
class _Registries:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        of_group = f"{self.flavour.group}/registries"
        one = f"{self.flavour.root}/registries/{{id}}"
        title = f"{self.flavour.title} virtual registry"
        yield Endpoint(
            "GET",
            of_group,
            f"List the {self.flavour.title} virtual registries of a group",
            self.list,
            gives=list[Registry],
        )
        yield Endpoint(
            "POST",
            of_group,
            f"Create a {title}",
            self.create,
            body=RegistryNew,
            gives=Registry,
            status=201,
            action="configure",
        )
        yield Endpoint("GET", one, f"Show a {title}", self.show, gives=RegistryWhole)
        yield Endpoint(
            "PATCH",
            one,
            f"Change a {title}",
            self.change,
            body=RegistryChange,
            needs_any=True,
            gives=RegistryWhole,
            action="configure",
            heeds_unmodified=True,
        )
        yield Endpoint(
            "DELETE",
            one,
            f"Delete a {title}, and the upstreams of no other",
            self.remove,
            status=204,
            action="configure",
            heeds_unmodified=True,
        )
        yield Endpoint(
            "DELETE",
            f"{one}/cache",
            f"Empty the cache of a {title}: of the upstreams of no other",
            self.purge,
            status=204,
            action="configure",
        )

    def list(self, call: Call) -> Answer:
        group, who = call.allow("read", self.parts.group(call))
        showing = Showing(self.parts, self.flavour, who, group.name)
        found = self.parts.catalog.registries_of(group.name, self.flavour.format)
        return Answer([showing.registry(each) for each in found])

    def create(self, call: Call) -> Answer:
        group, who = call.allow("configure", self.parts.group(call))
        fields = given(call.sent(RegistryNew))
        fields["description"] = fields.get("description") or ""
        made = self.parts.catalog.add_registry(group.name, self.flavour.format, fields)
        self._tell(call, who, made, "added")
        return Answer(Showing(self.parts, self.flavour, who, group.name).registry(made), status=201)

    def show(self, call: Call) -> Answer:
        return self._whole(*call.allow("read", self.parts.registry_of(call, self.flavour)))

    def change(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        fields = given(call.sent(RegistryChange))
        changed = self.parts.catalog.change_registry(
            registry.spec.id, fields, call.unmodified_since
        )
        self._tell(call, who, changed, " ".join(("changed", *sorted(fields))))
        return self._whole(changed, who)

    def remove(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        self.parts.catalog.remove_registry(registry.spec.id, call.unmodified_since)
        self._tell(call, who, registry, "removed")
        return NOTHING

    def purge(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        self.parts.catalog.purge_registry(registry.spec.id)
        name, target = registry.spec.name, f"registry {registry.spec.id}"
        self.parts.tell(call, who, "cache", target, "purged", registry=name)
        return NOTHING

    def _whole(self, registry: ManagedRegistry, who: Principal) -> Answer:
        showing = Showing(self.parts, self.flavour, who, registry.spec.group)
        return Answer(showing.registry_whole(registry))

    def _tell(self, call: Call, who: Principal, registry: ManagedRegistry, change: str) -> None:
        spec = registry.spec
        self.parts.tell(call, who, "registry", spec.id, change, registry=spec.name)

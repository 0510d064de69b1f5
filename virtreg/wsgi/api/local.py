"""Upstreams that are registries of the same server.

Whoever may pull from a registry gets what the registries behind it have, whosesoever they are: who
links one must be let read it at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from virtreg.errors import Forbidden, NotFound
from virtreg.managed import ManagedRegistry, ManagedUpstream
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.parameters import given
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sent import (
    LocalUpstreamChange,
    LocalUpstreamNew,
    MavenLocalUpstreamChange,
    MavenLocalUpstreamNew,
)
from virtreg.wsgi.api.showing import Showing
from virtreg.wsgi.api.shown import UpstreamListed, UpstreamWhole


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Local(parts, flavour).offer()]


def need_readable(call: Call, registry: ManagedRegistry | None) -> ManagedRegistry:
    """The registry that is to be linked. Raises Forbidden where the caller may not read it, or
    there is none: which of the two is not told."""
    try:
        return call.allow("read", registry)[0]
    except NotFound:
        raise Forbidden("the registry may not be read") from None


@frozen(eq=False)
class _Local:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        one = f"{self.flavour.root}/local/upstreams/{{id}}"
        title = f"local {self.flavour.title} upstream"
        maven = self.flavour.metadata
        yield Endpoint(
            "POST",
            f"{self.flavour.root}/registries/{{id}}/local/upstreams",
            f"Create a {title}, the last one of a registry",
            self.create,
            body=MavenLocalUpstreamNew if maven else LocalUpstreamNew,
            gives=UpstreamListed,
            status=201,
            action="configure",
        )
        yield Endpoint("GET", one, f"Show a {title}", self.show, gives=UpstreamWhole)
        yield Endpoint(
            "PATCH",
            one,
            f"Change a {title}; which registry it is stays",
            self.change,
            body=MavenLocalUpstreamChange if maven else LocalUpstreamChange,
            needs_any=True,
            gives=UpstreamWhole,
            action="configure",
            heeds_unmodified=True,
        )
        yield Endpoint(
            "DELETE",
            one,
            f"Delete a {title}, from every registry it is in",
            self.remove,
            status=204,
            action="configure",
            heeds_unmodified=True,
        )

    def create(self, call: Call) -> Answer:
        catalog = self.parts.catalog
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        fields = _fields(call.sent(LocalUpstreamNew))
        need_readable(
            call, self.flavour.own_registry(catalog.registry(fields["local_registry_id"]))
        )
        made, place = catalog.add_local_upstream(registry.spec.id, fields)
        self.parts.tell(call, who, "upstream", made.id, "added")
        showing = Showing(self.parts, self.flavour, who, made.group)
        return Answer(showing.upstream_listed(made, place), status=201)

    def show(self, call: Call) -> Answer:
        upstream, who = call.allow("read", self._find(call))
        showing = Showing(self.parts, self.flavour, who, upstream.group)
        return Answer(showing.upstream_whole(upstream))

    def change(self, call: Call) -> Answer:
        upstream, who = call.allow("configure", self._find(call))
        fields = _fields(call.sent(LocalUpstreamChange))
        changed = self.parts.catalog.change_upstream(upstream.id, fields, call.unmodified_since)
        self.parts.tell(call, who, "upstream", changed.id, "changed")
        showing = Showing(self.parts, self.flavour, who, changed.group)
        return Answer(showing.upstream_whole(changed))

    def remove(self, call: Call) -> Answer:
        upstream, who = call.allow("configure", self._find(call))
        self.parts.catalog.remove_upstream(upstream.id, call.unmodified_since)
        self.parts.tell(call, who, "upstream", upstream.id, "removed")
        return NOTHING

    def _find(self, call: Call) -> ManagedUpstream | None:
        found = self.parts.upstream_of(call, self.flavour)
        return found if found is not None and found.spec.local else None


def _fields(sent: LocalUpstreamNew | LocalUpstreamChange) -> dict[str, Any]:
    """As the catalog takes them."""
    fields = given(sent)
    if "description" in fields:
        fields["description"] = fields["description"] or ""
    return fields

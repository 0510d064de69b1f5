"""The upstreams of a group, and of a registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen
from msgspec import UNSET

from virtreg.managed import ManagedUpstream
from virtreg.model import Principal, Secret
from virtreg.wsgi.api.endpoint import NOTHING, Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.paging import page_answer
from virtreg.wsgi.api.parameters import given
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.sent import (
    MavenUpstreamChange,
    MavenUpstreamNew,
    UpstreamChange,
    UpstreamNew,
    UpstreamSearch,
)
from virtreg.wsgi.api.sharing import allow_change
from virtreg.wsgi.api.showing import Showing
from virtreg.wsgi.api.shown import Upstream, UpstreamListed, UpstreamWhole
from virtreg.wsgi.api.urls import normalised

_CENTRAL = "https://repo1.maven.org/maven2"
"""Never changes what it has published, so that nothing need be asked again."""


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Upstreams(parts, flavour).offer()]


@frozen(eq=False)
class _Upstreams:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        of_registry = f"{self.flavour.root}/registries/{{id}}/upstreams"
        one = f"{self.flavour.root}/upstreams/{{id}}"
        title = f"{self.flavour.title} upstream"
        yield Endpoint(
            "GET",
            f"{self.flavour.group}/upstreams",
            f"List the {title}s of a group, those changed last first",
            self.search,
            query=UpstreamSearch,
            gives=list[Upstream],
            paged=True,
        )
        yield Endpoint(
            "GET",
            of_registry,
            f"List the {title}s of a registry, in order",
            self.list,
            gives=list[UpstreamListed],
        )
        yield Endpoint(
            "POST",
            of_registry,
            f"Create a {title}, the last one of a registry",
            self.create,
            body=MavenUpstreamNew if self.flavour.metadata else UpstreamNew,
            gives=UpstreamListed,
            status=201,
            action="configure",
        )
        yield Endpoint("GET", one, f"Show a {title}", self.show, gives=UpstreamWhole)
        yield Endpoint(
            "PATCH",
            one,
            f"Change a {title}; another URL takes the login away, unless one is sent",
            self.change,
            body=MavenUpstreamChange if self.flavour.metadata else UpstreamChange,
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
        yield Endpoint(
            "DELETE",
            f"{one}/cache",
            f"Empty the cache of a {title}",
            self.purge,
            status=204,
            action="configure",
        )

    def search(self, call: Call) -> Answer:
        group, who = call.allow("read", self.parts.group(call))
        asked = call.asked(UpstreamSearch)
        found, total = self.parts.catalog.upstreams_of_group(
            group.name, self.flavour.format, asked.upstream_name, asked.limit, asked.offset
        )
        showing = self._showing(who, group.name)
        shown = [showing.upstream(each) for each in found]
        return page_answer(shown, call.environ, self.parts.url(call.environ), asked, total)

    def list(self, call: Call) -> Answer:
        registry, who = call.allow("read", self.parts.registry_of(call, self.flavour))
        showing = self._showing(who, registry.spec.group)
        found = self.parts.catalog.upstreams_of(registry.spec.id)
        return Answer([showing.upstream_listed(upstream, place) for place, upstream in found])

    def create(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        fields = self._fields(call.sent(UpstreamNew))
        if self.flavour.metadata and _central(fields["url"]):
            fields.setdefault("cache_validity_hours", 0)
        made, place = self.parts.catalog.add_upstream(registry.spec.id, fields)
        self._tell(call, who, made, "added")
        showing = self._showing(who, made.group)
        return Answer(showing.upstream_listed(made, place), status=201)

    def show(self, call: Call) -> Answer:
        return self._whole(*call.allow("read", self.parts.upstream_of(call, self.flavour)))

    def change(self, call: Call) -> Answer:
        upstream, who = call.allow("configure", self.parts.upstream_of(call, self.flavour))
        fields = self._fields(call.sent(UpstreamChange))
        changed = self.parts.catalog.change_upstream(upstream.id, fields, call.unmodified_since)
        self._tell(call, who, changed, " ".join(("changed", *sorted(fields))))
        return self._whole(changed, who)

    def remove(self, call: Call) -> Answer:
        upstream, who = call.allow("configure", self.parts.upstream_of(call, self.flavour))
        self.parts.catalog.remove_upstream(upstream.id, call.unmodified_since)
        self._tell(call, who, upstream, "removed")
        return NOTHING

    def purge(self, call: Call) -> Answer:
        upstream, who = allow_change(self.parts, call, self.parts.upstream_of(call, self.flavour))
        self.parts.catalog.purge_upstream(upstream.id)
        self.parts.tell(call, who, "cache", f"upstream {upstream.id}", "purged")
        return NOTHING

    def _fields(self, sent: UpstreamNew | UpstreamChange) -> dict[str, Any]:
        """As the catalog takes them."""
        fields = given(sent)
        if sent.url is not UNSET:
            fields["url"] = normalised(sent.url, self.flavour, self.parts.egress)
        if isinstance(sent.password, str):
            fields["password"] = Secret(sent.password)
        if "description" in fields:
            fields["description"] = fields["description"] or ""
        return fields

    def _whole(self, upstream: ManagedUpstream, who: Principal) -> Answer:
        return Answer(self._showing(who, upstream.group).upstream_whole(upstream))

    def _showing(self, who: Principal, group: str) -> Showing:
        return Showing(self.parts, self.flavour, who, group)

    def _tell(self, call: Call, who: Principal, upstream: ManagedUpstream, change: str) -> None:
        self.parts.tell(call, who, "upstream", upstream.id, change)


def _central(url: str) -> bool:
    return f"{url}/".startswith(f"{_CENTRAL}/")

"""How much the caches of a group hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from attrs import frozen
from msgspec import Meta, Struct

from virtreg.managed import ManagedRegistry, ManagedUpstream
from virtreg.service.usage import Usage
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.flavour import FLAVOURS
from virtreg.wsgi.api.groups import Quota, WhenFull
from virtreg.wsgi.api.moments import moment
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.shown import Moment

_ALL = 10_000
"""Upstreams of a group that are shown, more than any may have."""


class StorageOfRegistry(Struct, kw_only=True):
    id: int
    name: str
    format: str
    entries: int
    bytes: Annotated[
        int, Meta(description="With its upstreams, which count for every registry they are in.")
    ]


class StorageOfUpstream(Struct, kw_only=True):
    id: int
    name: str
    format: str
    entries: int
    bytes: int


class Storage(Struct, kw_only=True):
    group_id: int
    entries: int
    bytes: Annotated[
        int, Meta(description="A file that several upstreams have counts for each of them.")
    ]
    storage_quota_bytes: Quota
    when_full: WhenFull
    as_of: Annotated[Moment, Meta(description="When it was added up: at most a minute ago.")]
    registries: list[StorageOfRegistry]
    upstreams: list[StorageOfUpstream]


def endpoints(parts: Parts) -> list[Endpoint]:
    return [
        Endpoint(
            "GET",
            "/groups/{group}/-/virtual_registries/storage",
            "Show how much the caches of a group hold",
            _Storage(parts, Usage(parts.index, parts.clock)).show,
            gives=Storage,
            documented=False,
        )
    ]


@frozen(eq=False)
class _Storage:
    parts: Parts
    usage: Usage

    def show(self, call: Call) -> Answer:
        group, _ = call.allow("read", self.parts.group(call))
        catalog = self.parts.catalog
        settings = catalog.settings(group.name)
        registries: list[ManagedRegistry] = []
        upstreams: list[ManagedUpstream] = []
        for flavour in FLAVOURS:
            registries += catalog.registries_of(group.name, flavour.format)
            upstreams += catalog.upstreams_of_group(group.name, flavour.format, limit=_ALL)[0]
        entries, size = self._held(catalog.sources_of(group.name))
        return Answer(
            Storage(
                group_id=group.id,
                entries=entries,
                bytes=size,
                storage_quota_bytes=settings.storage_quota,
                when_full=settings.when_full,
                as_of=moment(self.usage.by_source()[1]),
                registries=[self._of_registry(each) for each in registries],
                upstreams=[
                    self._of_upstream(each) for each in sorted(upstreams, key=lambda one: one.id)
                ],
            )
        )

    def _of_registry(self, registry: ManagedRegistry) -> StorageOfRegistry:
        spec = registry.spec
        entries, size = self._held({spec.key, *(upstream.key for upstream in spec.upstreams)})
        return StorageOfRegistry(
            id=spec.id, name=registry.name, format=spec.format, entries=entries, bytes=size
        )

    def _of_upstream(self, upstream: ManagedUpstream) -> StorageOfUpstream:
        entries, size = self._held([upstream.spec.key])
        return StorageOfUpstream(
            id=upstream.id,
            name=upstream.name,
            format=upstream.format,
            entries=entries,
            bytes=size,
        )

    def _held(self, sources: Iterable[str]) -> tuple[int, int]:
        return self.usage.of(sources)

"""From what is kept to what is shown."""

from __future__ import annotations

from attrs import field, frozen
from msgspec import UNSET
from msgspec.structs import asdict

from virtreg.backends.auth.callers import caller_of
from virtreg.core.identity import Role
from virtreg.managed import Association, ManagedRegistry, ManagedUpstream
from virtreg.model import Principal
from virtreg.wsgi.api.flavour import Flavour
from virtreg.wsgi.api.health import health_shown
from virtreg.wsgi.api.moments import moment
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.shown import (
    Associated,
    PlaceInRegistry,
    PlaceOfUpstream,
    Registry,
    RegistryWhole,
    Upstream,
    UpstreamHealth,
    UpstreamListed,
    UpstreamWhole,
)


@frozen(eq=False)
class Showing:
    """To one who asks, of one group. Used by one thread."""

    parts: Parts
    flavour: Flavour
    who: Principal
    group: str
    _number: int | None = field(init=False)
    _maintains: bool = field(init=False)

    @_number.default
    def _find_number(self) -> int | None:
        found = self.parts.directory.group(self.group)
        return None if found is None else found.id

    @_maintains.default
    def _find_maintains(self) -> bool:
        return maintains(self.parts, self.who, self.group)

    def registry(self, registry: ManagedRegistry) -> Registry:
        return Registry(
            id=registry.spec.id,
            group_id=self._number,
            name=registry.name,
            description=registry.spec.description or None,
            created_at=moment(registry.created_at),
            updated_at=moment(registry.updated_at),
            declared=registry.declared,
            slug=registry.spec.name,
            order=registry.spec.order,
        )

    def registry_whole(self, registry: ManagedRegistry) -> RegistryWhole:
        listed = self.parts.catalog.upstreams_of(registry.spec.id)
        places = [
            PlaceInRegistry(id=each.id, upstream_id=each.upstream_id, position=each.position)
            for each, _ in listed
        ]
        return RegistryWhole(**asdict(self.registry(registry)), registry_upstreams=places)

    def upstream(self, upstream: ManagedUpstream) -> Upstream:
        spec = upstream.spec
        metadata = self.flavour.metadata
        return Upstream(
            id=upstream.id,
            group_id=self._number,
            url=UNSET if spec.local else spec.url,
            name=upstream.name,
            description=upstream.description or None,
            cache_validity_hours=_number(spec.cache_validity_hours),
            metadata_cache_validity_hours=(
                _number(spec.metadata_cache_validity_hours) if metadata else UNSET
            ),
            username=UNSET if spec.local else spec.username if self._maintains else None,
            created_at=moment(upstream.created_at),
            updated_at=moment(upstream.updated_at),
            upstream_type="local" if spec.local else "remote",
            local_registry_id=UNSET if spec.registry is None else self._target(spec.registry),
            declared=upstream.declared,
            rules_count=len(spec.rules),
            minimum_release_age_hours=(
                _number(spec.minimum_release_age_hours) if metadata else UNSET
            ),
            on_error=spec.on_error,
            on_refused=spec.on_refused,
            on_missing=spec.on_missing,
            negative_validity_seconds=_number(spec.negative_validity_seconds),
            connect_timeout=_number(spec.connect_timeout),
            read_timeout=_number(spec.read_timeout),
            max_connections=spec.max_connections,
        )

    def _target(self, name: str) -> int | None:
        found = self.parts.registry_named(name)
        return None if found is None else found.spec.id

    def upstream_listed(self, upstream: ManagedUpstream, at: Association) -> UpstreamListed:
        return UpstreamListed(**asdict(self.upstream(upstream)), registry_upstream=_place(at))

    def upstream_whole(self, upstream: ManagedUpstream) -> UpstreamWhole:
        places = [_place(each) for each in self.parts.catalog.associations_of(upstream.id)]
        return UpstreamWhole(
            **asdict(self.upstream(upstream)),
            registry_upstreams=places,
            health=self._health(upstream),
        )

    def _health(self, upstream: ManagedUpstream) -> UpstreamHealth | None:
        asked = self.parts.upstream(upstream.spec)
        if asked is None:
            return None
        return health_shown(asked.health(), self.parts.served(upstream.spec.key))


def associated(association: Association) -> Associated:
    return Associated(
        id=association.id,
        registry_id=association.registry_id,
        upstream_id=association.upstream_id,
        position=association.position,
    )


def maintains(parts: Parts, who: Principal, group: str) -> bool:
    """Whether who asks has the role of a maintainer there, whatever their token is good for.
    Unlike admitting it leaves no trace: nothing was to be done."""
    if who == parts.operator:
        return True
    directory = parts.directory
    if who.token_id is None:
        user = directory.user(who.name)
        if user is None or user.blocked:
            return False
        administrator, roles = user.administrator, directory.roles(who.name)
    else:
        token = directory.token_by_id(who.token_id)
        caller = None if token is None else caller_of(directory, token, parts.clock())
        if caller is None:
            return False
        administrator, roles = caller.administrator, caller.roles
    return administrator or roles.get(group, Role.GUEST) >= Role.MAINTAINER


def _place(association: Association) -> PlaceOfUpstream:
    return PlaceOfUpstream(
        id=association.id, registry_id=association.registry_id, position=association.position
    )


def _number(value: float) -> float:
    """Without a fraction of nothing, which readers of whole numbers would refuse."""
    return int(value) if float(value).is_integer() else value

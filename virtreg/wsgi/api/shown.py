"""What the API shows of registries and upstreams: GitLab's fields first, then those it does not
have."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Registry(Struct, kw_only=True):
    id: int
    group_id: int | None
    """None: the group of a declared registry, which nobody added."""
    name: str
    description: str | None
    created_at: Moment
    updated_at: Moment
    declared: Annotated[
        bool, Meta(description="It is in the server's configuration file, and changes there alone.")
    ]
    slug: Annotated[str, Meta(description="The name in URLs of files: one of a kind.")]
    order: Literal["cached", "strict"]


class PlaceInRegistry(Struct, kw_only=True):
    """Of one upstream, in a registry."""

    id: int
    upstream_id: int
    position: int


class RegistryWhole(Registry, kw_only=True):
    registry_upstreams: list[PlaceInRegistry]


class PlaceOfUpstream(Struct, kw_only=True):
    """In one registry, of an upstream."""

    id: int
    registry_id: int
    position: int


class Upstream(Struct, kw_only=True):
    id: int
    group_id: int | None
    url: Annotated[str | UnsetType, Meta(description="Not of one that is on this server.")] = UNSET
    name: str
    description: str | None
    cache_validity_hours: float
    metadata_cache_validity_hours: float | UnsetType = UNSET
    username: Annotated[
        str | UnsetType | None,
        Meta(description="Null also for those who may not change the upstream."),
    ] = UNSET
    created_at: Moment
    updated_at: Moment
    upstream_type: Annotated[
        Literal["remote", "local"], Meta(description="`local`: it is on this server.")
    ]
    local_registry_id: Annotated[
        int | UnsetType | None,
        Meta(description="Of one that is a registry: which. Null: it is not there any more."),
    ] = UNSET
    declared: Annotated[
        bool, Meta(description="It is in the server's configuration file, and changes there alone.")
    ]
    rules_count: int
    minimum_release_age_hours: float | UnsetType = UNSET
    on_error: Literal["stop", "continue"]
    on_refused: Literal["error", "absent"] | None
    on_missing: Literal["keep", "drop"]
    negative_validity_seconds: float
    connect_timeout: float
    read_timeout: float
    max_connections: int


class UpstreamListed(Upstream, kw_only=True):
    """In a registry."""

    registry_upstream: PlaceOfUpstream


class QuotaLeft(Struct, kw_only=True):
    """What an upstream said of the requests it still takes."""

    limit: int | None
    remaining: int | None
    window_seconds: float | None


class LastFailure(Struct, kw_only=True):
    kind: Annotated[str, Meta(examples=["upstream_timeout", "upstream_refused"])]
    at: Moment


class UpstreamHealth(Struct, kw_only=True):
    """As the process that answers sees it."""

    breaker: Annotated[
        Literal["closed", "open", "half_open"],
        Meta(
            description="`open`: it failed repeatedly, or asked for a pause, and is not asked. "
            "`half_open`: the next request is a trial."
        ),
    ]
    retry_after_seconds: Annotated[
        float | None, Meta(description="Until it is asked again, where it is not asked now.")
    ]
    quota: QuotaLeft | None
    last_failure: Annotated[LastFailure | None, Meta(description="However long ago.")]
    hits: Annotated[int, Meta(description="Downloads from the cache, since the process began.")]
    misses: Annotated[int, Meta(description="Downloads for which it was asked.")]


class UpstreamWhole(Upstream, kw_only=True):
    registry_upstreams: list[PlaceOfUpstream]
    health: Annotated[UpstreamHealth | None, Meta(description="Null while it is in no registry.")]


class Associated(Struct, kw_only=True):
    id: int
    registry_id: int
    upstream_id: int
    position: int


class Trial(Struct, kw_only=True, omit_defaults=True):
    success: bool
    result: Annotated[
        str | UnsetType, Meta(description="What is wrong, in one line; where something is.")
    ] = UNSET

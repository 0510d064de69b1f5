"""What a registry would do about a path, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from attrs import frozen
from msgspec import Meta, Struct

from virtreg.errors import InvalidRequest, NotFound
from virtreg.managed import ManagedRegistry
from virtreg.model import Entry, Route
from virtreg.service.explaining import Position
from virtreg.service.registry import PullThroughRegistry
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.entry_ids import entry_id
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.health import quota_left
from virtreg.wsgi.api.moments import moment, moment_or_none
from virtreg.wsgi.api.parts import Parts
from virtreg.wsgi.api.problems import BadParameters
from virtreg.wsgi.api.shown import Moment, QuotaLeft

Path = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        description="Below the registry's URL, as clients ask for it.",
    ),
]


class PathAsked(Struct, kw_only=True):
    path: Path


class Held(Struct, kw_only=True):
    """A cached file."""

    id: Annotated[str, Meta(description="Of the cache entry.")]
    size: int
    sha256: str
    created_at: Moment
    upstream_checked_at: Moment
    fresh_until: Annotated[
        Moment | None, Meta(description="Until when it is served unchecked; null: for good.")
    ]


class ExplainedUpstream(Struct, kw_only=True):
    """One upstream, in the order of the registry."""

    upstream_id: int | None
    upstream: str
    path: Annotated[str, Meta(description="As the upstream knows it.")]
    denied: Annotated[str | None, Meta(description="Why it may not answer, naming the rule.")]
    cached: Held | None
    absent_until: Annotated[
        Moment | None, Meta(description="Until when it is believed not to have it.")
    ]
    left_alone_until: Annotated[
        Moment | None,
        Meta(description="It failed or refused, and is not asked before; 9999: while offline."),
    ]
    quota: QuotaLeft | None
    asked: Annotated[bool, Meta(description="It would be asked, if those before it do not answer.")]


class Explained(Struct, kw_only=True):
    path: str
    decision: Literal["serve", "ask", "merge", "list", "absent", "barred", "broken"]
    explanation: Annotated[str, Meta(description="The decision, for a person.")]
    upstreams: list[ExplainedUpstream]


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Explaining(parts, flavour).offer()]


@frozen(eq=False)
class _Explaining:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        yield Endpoint(
            "GET",
            f"{self.flavour.root}/registries/{{id}}/explain",
            f"Explain what a {self.flavour.title} virtual registry would do about a path",
            self.explain,
            query=PathAsked,
            gives=Explained,
            documented=False,
        )

    def explain(self, call: Call) -> Answer:
        registry, _ = call.allow("read", self.parts.registry_of(call, self.flavour))
        serving = serving_of(self.parts, registry)
        route = route_of(serving, call.asked(PathAsked).path)
        found = serving.explain(route.path)
        listed = self.parts.catalog.upstreams_of(registry.spec.id)
        numbers = {upstream.spec.name: upstream.id for _, upstream in listed}
        return Answer(
            Explained(
                path=f"/{found.path}",
                decision=found.decision,
                explanation=found.sentence,
                upstreams=[_shown(each, numbers.get(each.upstream)) for each in found.positions],
            )
        )


def serving_of(parts: Parts, registry: ManagedRegistry) -> PullThroughRegistry:
    """What answers its pulls. Raises NotFound when it was removed a moment ago."""
    serving = parts.registry(registry.spec.id)
    if serving is None:
        raise NotFound("there is no such registry")
    return serving


def route_of(serving: PullThroughRegistry, path: str, name: str = "path") -> Route:
    """The route of a parameter, without a checksum's suffix. Raises BadParameters naming it."""
    try:
        route = serving.format.route(path.removeprefix("/"))
        return serving.format.route(route.path)
    except (InvalidRequest, NotFound) as error:
        raise BadParameters({name: "is invalid"}, {name: error.message}) from None


def _shown(position: Position, upstream_id: int | None) -> ExplainedUpstream:
    return ExplainedUpstream(
        upstream_id=upstream_id,
        upstream=position.upstream,
        path=f"/{position.path}",
        denied=position.denied,
        cached=_held(position.entry, position.fresh_until, upstream_id or 0),
        absent_until=moment_or_none(position.negative_until),
        left_alone_until=moment_or_none(position.left_alone_until),
        quota=quota_left(position.quota),
        asked=position.asked,
    )


def _held(entry: Entry | None, fresh_until: float | None, upstream_id: int) -> Held | None:
    if entry is None or fresh_until is None:
        return None
    return Held(
        id=entry_id(upstream_id, entry.path),
        size=entry.size,
        sha256=entry.sha256,
        created_at=moment(entry.created_at),
        upstream_checked_at=moment(max(0.0, entry.checked_at)),
        fresh_until=None if math.isinf(fresh_until) else moment(max(0.0, fresh_until)),
    )

"""Having files cached, or asked for again, before anybody pulls them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from attrs import frozen
from msgspec import Meta, Struct

from virtreg.errors import Barred, NotFound, VirtregError
from virtreg.managed import ManagedRegistry
from virtreg.model import Algorithm, Entry, Principal, Route
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.resolution import Resolved
from virtreg.wsgi.api.endpoint import Answer, Call, Endpoint
from virtreg.wsgi.api.explaining import Path, PathAsked, route_of, serving_of
from virtreg.wsgi.api.flavour import FLAVOURS, Flavour
from virtreg.wsgi.api.parts import Parts

MOST_PATHS = 100
"""Of one call."""


class PathsWanted(Struct, kw_only=True):
    paths: Annotated[
        list[Path],
        Meta(
            min_length=1,
            max_length=MOST_PATHS,
            description="Below the registry's URL, as clients ask for them.",
        ),
    ]


class Refreshed(Struct, kw_only=True):
    path: str
    result: Annotated[
        Literal["changed", "unchanged", "found", "stale", "absent", "denied", "failed"],
        Meta(
            description="`found`: nothing was cached before, or it is not yet known whether it "
            "changed. `stale`: what was cached is kept, since upstreams could not be asked."
        ),
    ]
    detail: Annotated[str | None, Meta(description="In one line, where it is not as it should be.")]
    size: int | None
    sha256: str | None


class Prefetched(Struct, kw_only=True):
    paths: Annotated[list[str], Meta(description="What is fetched now, in the background.")]


def endpoints(parts: Parts) -> list[Endpoint]:
    return [endpoint for flavour in FLAVOURS for endpoint in _Filling(parts, flavour).offer()]


@frozen(eq=False)
class _Filling:
    """Of one format."""

    parts: Parts
    flavour: Flavour

    def offer(self) -> Iterator[Endpoint]:
        one = f"{self.flavour.root}/registries/{{id}}"
        title = f"{self.flavour.title} virtual registry"
        yield Endpoint(
            "POST",
            f"{one}/refresh",
            f"Ask the upstreams of a {title} for a file at once, however fresh the cached one is",
            self.refresh,
            body=PathAsked,
            gives=Refreshed,
            action="configure",
            documented=False,
        )
        yield Endpoint(
            "POST",
            f"{one}/prefetch",
            f"Have files cached by a {title} before they are pulled",
            self.prefetch,
            body=PathsWanted,
            gives=Prefetched,
            status=202,
            action="configure",
            documented=False,
        )

    def refresh(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        serving = serving_of(self.parts, registry)
        route = route_of(serving, call.sent(PathAsked).path)
        held = serving.expire(route)
        self.parts.catalog.announce()
        self._tell(call, who, registry, route.path, "refreshed")
        return Answer(_refreshed(serving, route, held))

    def prefetch(self, call: Call) -> Answer:
        registry, who = call.allow("configure", self.parts.registry_of(call, self.flavour))
        serving = serving_of(self.parts, registry)
        paths = call.sent(PathsWanted).paths
        routes = [route_of(serving, path, f"paths[{at}]") for at, path in enumerate(paths)]
        distinct = {route.path: route for route in routes}
        self.parts.prefetching.add(serving, tuple(distinct.values()))
        for path in distinct:
            self._tell(call, who, registry, path, "prefetched")
        return Answer(Prefetched(paths=[f"/{path}" for path in distinct]), status=202)

    def _tell(
        self, call: Call, who: Principal, registry: ManagedRegistry, path: str, change: str
    ) -> None:
        self.parts.tell(call, who, "cache", path, change, registry=registry.spec.name)


def _refreshed(serving: PullThroughRegistry, route: Route, held: Sequence[Entry]) -> Refreshed:
    try:
        resolved = serving.resolve(route)
    except VirtregError as error:
        return Refreshed(
            path=f"/{route.path}",
            result=_result_of(error),
            detail=error.message,
            size=None,
            sha256=None,
        )
    with resolved.body:
        sha256 = resolved.representation.digests.get(Algorithm.SHA256)
        return Refreshed(
            path=f"/{route.path}",
            result=_result(resolved, sha256, held),
            detail=resolved.warning or None,
            size=resolved.representation.size,
            sha256=sha256,
        )


def _result_of(error: VirtregError) -> Literal["absent", "denied", "failed"]:
    match error:
        case NotFound():
            return "absent"
        case Barred():
            return "denied"
    return "failed"


def _result(
    resolved: Resolved, sha256: str | None, held: Sequence[Entry]
) -> Literal["changed", "unchanged", "found", "stale"]:
    if resolved.origin == "stale":
        return "stale"
    before = {entry.sha256 for entry in held if entry.source == resolved.source}
    if resolved.origin == "revalidated" or sha256 in before:
        return "unchanged"
    return "changed" if before and sha256 is not None else "found"

"""From a route to the request an upstream gets."""

from __future__ import annotations

from typing import Literal

from virtreg.model import Expectation, Fetch, Route, Validators


def fetch_of(
    route: Route,
    expectation: Expectation,
    *,
    method: Literal["GET", "HEAD"] = "GET",
    known: Validators | None = None,
    offset: int = 0,
    stop: int | None = None,
    if_range: str | None = None,
) -> Fetch:
    """The request for a route's own body, or for ``offset <= i < stop`` of it."""
    return Fetch(
        expectation.prefix + route.path,
        method=method,
        accept=expectation.accept,
        known=known,
        offset=offset,
        stop=stop,
        if_range=if_range,
        query=expectation.query,
        scope=expectation.scope,
        metered=expectation.metered,
        bulk=expectation.head_alone and method == "GET",
    )


def beside(path: str, expectation: Expectation) -> Fetch:
    """The request for a checksum file."""
    return Fetch(expectation.prefix + path, scope=expectation.scope)

"""Which answers can be kept ready, and what is kept of them."""

from __future__ import annotations

from virtreg.core.layout import blob_key
from virtreg.errors import NotFound
from virtreg.model import Algorithm, Headers, Problem, Route, Scope
from virtreg.protocols import Resolution
from virtreg.wsgi.ready import SMALL, Ready
from virtreg.wsgi.serving import CACHE_HEADER, status_line, with_length


def ready_answer(
    scope: Scope, resolution: Resolution, headers: Headers, now: float, *, viewed: bool = False
) -> Ready | None:
    """A whole body's answer for the next who asks for the same; None while its digest or size is
    unknown, and when the body is not there, as where it was only described.

    Reads a small body, and the first byte of another. Raises what reading raises.
    """
    sha256 = resolution.representation.digests.get(Algorithm.SHA256)
    size = resolution.representation.size
    if size is None or sha256 is None:
        return None
    small = size <= SMALL
    # What was described for HEAD may have no body behind it: one byte of a large one is proof.
    body = b"".join(resolution.body.read(0, size if small else 1))
    if len(body) != (size if small else 1):
        return None
    origin = "stale" if resolution.origin == "stale" else "hit"
    return Ready(
        status="200 OK",
        headers=tuple((name, origin if name == CACHE_HEADER else value) for name, value in headers),
        body=body if small else None,
        key=blob_key(sha256),
        size=size,
        made_at=now,
        expires_at=resolution.expires_at,
        origin=origin,
        scope=scope,
        source="" if resolution.route.checksum else resolution.source,
        path=resolution.route.path,
        viewed=viewed,
    )


def ready_absence(
    scope: Scope,
    route: Route,
    problem: Problem,
    error: NotFound,
    now: float,
    more: Headers = (),
) -> Ready:
    """A 404 for the next who asks for the same, good for as long as the absence is remembered.
    ``more`` are headers besides the problem's."""
    return Ready(
        status=status_line(problem.status),
        headers=with_length(problem.headers, problem.body) + more,
        body=problem.body,
        key="",
        size=len(problem.body),
        made_at=now,
        expires_at=error.expires_at,
        origin="absent",
        scope=scope,
        source="",
        path=route.path,
    )

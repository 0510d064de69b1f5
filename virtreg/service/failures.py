"""Why there is no answer, told so that a person can act on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from virtreg.errors import Barred, NotFound, Offline, UpstreamError
from virtreg.model import Answered, RegistrySpec, Route


def absent(
    spec: RegistrySpec, route: Route, answers: Mapping[int, Answered], until: float
) -> NotFound | Barred:
    """Every upstream said so, or may not answer; positions without an answer are remembered to
    have said it."""
    if not spec.upstreams:
        return NotFound(f"registry {spec.name} has no upstreams", path=route.path)
    said = [
        answers.get(at, Answered(upstream.name, "absent", "remembered 404"))
        for at, upstream in enumerate(spec.upstreams)
    ]
    if all(answer.outcome == "denied" for answer in said):
        reasons = "; ".join(f"{answer.upstream}: {answer.detail}" for answer in said)
        return Barred(
            f"no upstream of {spec.name} may answer for {route.path}: {reasons}", answers=said
        )
    details = [
        answer.detail if answer.outcome == "refused" else f"{answer.upstream}: {answer.detail}"
        for answer in said
        if answer.outcome in ("refused", "denied")
    ]
    return NotFound(
        "; ".join([f"{route.path} is in none of the upstreams of {spec.name}", *details]),
        answers=said,
        expires_at=until,
        path=route.path,
    )


def broken(
    route: Route, cause: UpstreamError, answers: Sequence[Answered], *, barred: bool = False
) -> UpstreamError:
    """The cause again, as an error about this path with everybody's answer. ``barred`` when others
    would be heard if its upstream's ``on_error`` let them."""
    return type(cause)(
        f"whether {route.path} exists cannot be told: {cause.reason}",
        upstream=cause.upstream,
        answers=answers,
        retry_after=cause.retry_after,
        reason=cause.reason,
        # Whom else it let through would not be asked either.
        barred=barred and not isinstance(cause, Offline),
    )

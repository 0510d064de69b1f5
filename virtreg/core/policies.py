"""When a cleanup policy runs, what goes by it, and what is remembered of a run."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from virtreg.managed import CleanupPolicy, Reclaimed

DAY = 86_400.0

MOST_TOLD = 255
"""Characters of a failure message that are kept."""


def made(policy: CleanupPolicy, now: float) -> CleanupPolicy:
    """One that is there from now on."""
    return evolve(policy, next_run_at=_next_run(policy, now))


def changed(before: CleanupPolicy, policy: CleanupPolicy, now: float) -> CleanupPolicy:
    """One that was ``before`` another: what was waited for is kept, unless it is waited anew."""
    anew = policy.cadence != before.cadence or (policy.enabled and not before.enabled)
    return evolve(made(policy, now) if anew else policy, updated_at=now)


def is_due(policy: CleanupPolicy, now: float) -> bool:
    """Whether it is to run. One that says it is running is due: asked by who alone may run it, it
    is left from a run that was cut short."""
    if not policy.enabled:
        return False
    return policy.status == "running" or policy.next_run_at is None or policy.next_run_at <= now


def unwanted_before(policy: CleanupPolicy, now: float) -> float:
    """What was last wanted before this time goes."""
    return now - policy.keep_n_days_after_download * DAY


def started(policy: CleanupPolicy) -> CleanupPolicy:
    return evolve(policy, status="running")


def stopped(policy: CleanupPolicy) -> CleanupPolicy:
    """Its run was cut short, and goes on when it would have begun."""
    return evolve(policy, status="scheduled")


def finished(
    policy: CleanupPolicy, now: float, by_format: Mapping[str, Reclaimed]
) -> CleanupPolicy:
    return evolve(
        policy,
        status="scheduled",
        failure_message=None,
        last_run_at=now,
        next_run_at=_next_run(policy, now),
        last_run=total(by_format),
        last_run_by_format=tuple(sorted(by_format.items())),
    )


def failed(
    policy: CleanupPolicy, now: float, by_format: Mapping[str, Reclaimed], message: str
) -> CleanupPolicy:
    """What it removed before is counted all the same."""
    told = finished(policy, now, by_format)
    return evolve(told, status="failed", failure_message=message[:MOST_TOLD])


def _next_run(policy: CleanupPolicy, now: float) -> float:
    return now + policy.cadence * DAY


def total(by_format: Mapping[str, Reclaimed]) -> Reclaimed:
    return Reclaimed(
        sum(each.entries for each in by_format.values()),
        sum(each.size for each in by_format.values()),
    )

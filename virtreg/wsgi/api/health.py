"""How an upstream does, from what the process that answers knows."""

from __future__ import annotations

from virtreg.model import Quota
from virtreg.service.health import Health
from virtreg.wsgi.api.moments import moment
from virtreg.wsgi.api.shown import LastFailure, QuotaLeft, UpstreamHealth


def health_shown(health: Health, served: tuple[int, int]) -> UpstreamHealth:
    failure = health.failure
    return UpstreamHealth(
        breaker=health.breaker,
        retry_after_seconds=health.retry_after,
        quota=quota_left(health.quota),
        last_failure=(
            None if failure is None else LastFailure(kind=failure.code, at=moment(failure.at))
        ),
        hits=served[0],
        misses=served[1],
    )


def quota_left(quota: Quota | None) -> QuotaLeft | None:
    if quota is None:
        return None
    return QuotaLeft(limit=quota.limit, remaining=quota.remaining, window_seconds=quota.window)

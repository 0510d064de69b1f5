"""Whether an upstream may and should be asked right now: its breaker and its quota, shared by every
registry using it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Literal

from attrs import frozen

from virtreg.core.backoff import MAX_RETRY_AFTER
from virtreg.core.breaker import Breaker
from virtreg.core.quota import parse_quota
from virtreg.correlation import Threads
from virtreg.errors import (
    Offline,
    UpstreamBusy,
    UpstreamError,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
    VirtregError,
)
from virtreg.model import Fetch, Quota
from virtreg.protocols import Reply, Upstream

_THREADS = 64

SPENT = 60.0
"""Seconds for which a used-up quota is believed where the upstream does not say how long: its
window slides, and only asking tells."""


@frozen
class Failure:
    """Why an upstream gave no usable answer. Not the message: it may name a path."""

    code: str
    """Of the error, as in :mod:`virtreg.errors`."""
    at: float
    """Seconds since the epoch."""


@frozen
class Health:
    """How an upstream does, as one process sees it."""

    breaker: Literal["closed", "open", "half_open"]
    """``open``: it is not asked. ``half_open``: the next request is a trial."""
    retry_after: float | None
    """Seconds until it is asked again, where it is not asked now: because it failed, asked for a
    pause, or its quota is used up."""
    quota: Quota | None
    """What it last said of it."""
    failure: Failure | None
    """The last one of this process, however long ago."""


class GuardedUpstream:
    """An upstream behind its breaker; the protocol ``Upstream``. Thread-safe."""

    threads: Executor
    """Where it is asked in the background. Its own: while it is silent, only those wait who ask
    it. Threads are made when they are needed, and work in the context of whoever asks."""

    quota: Quota | None = None
    """What the upstream last said of it."""

    def __init__(
        self, upstream: Upstream, clock: Callable[[], float], *, offline: bool = False
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self.offline = offline
        self._lock = threading.Lock()
        self._breaker = Breaker()
        self._throttled_until = 0.0
        self._spent_until = 0.0
        self._told = clock()
        self._set_back = 0.0
        self._failure: Failure | None = None
        self.spec = upstream.spec
        self.threads = Threads(_THREADS, thread_name_prefix="virtreg-ask")

    def health(self) -> Health:
        with self._lock:
            now = self._now()
            left_alone = self._breaker.blocked_until(now) or now
            ends = max(left_alone, self._spent_until)
            return Health(
                self._breaker.state(now),
                ends - now if ends > now else None,
                self.quota,
                self._failure,
            )

    def fetch(self, request: Fetch) -> Reply:
        """As the upstream's own, but raises at once, with ``retry_after``, while the breaker is
        open or the quota used up: UpstreamThrottled when the upstream asked for that, else
        UpstreamUnavailable. Offline nobody is asked."""
        if self.offline:
            raise Offline(f"offline: {self.spec.name} was not asked", upstream=self.spec.name)
        metered = request.metered and request.method == "GET"
        with self._lock:
            now = self._now()
            if metered and now < self._spent_until:
                raise self._spent(self._spent_until - now)
            admitted = self._breaker.admit(now)
            until = self._breaker.blocked_until(now)
            throttled = now < self._throttled_until
        if not admitted:
            raise self._left_alone(max(1.0, (until or now) - now), throttled=throttled)
        try:
            reply = self._upstream.fetch(request)
        except UpstreamBusy:
            with self._lock:
                self._breaker.withdrawn()
            raise
        except UpstreamThrottled as error:
            self._remember(error)
            if metered:
                # The quota is for these alone; what costs nothing is still answered.
                self._spend(error.retry_after)
                self._succeeded()
            else:
                self._throttled(error.retry_after)
            raise
        except (UpstreamTimeout, UpstreamUnavailable) as error:
            self.failed()
            self._remember(error)
            raise
        except VirtregError as error:
            self._remember(error)
            # It answered, though not with what was wanted; or the request could not be put.
            self._succeeded()
            raise
        except Exception as error:
            # A third party's upstream broke its contract: what exactly is in the chained cause.
            failure = UpstreamUnavailable(
                f"{self.spec.name} failed: {type(error).__name__}", upstream=self.spec.name
            )
            self.failed()
            self._remember(failure)
            raise failure from error
        if reply.status in (200, 206) and request.method == "GET":
            with self._lock:
                self._breaker.answered(self._now())
        else:
            self._succeeded()
        quota = parse_quota(reply.headers)
        if quota is not None:
            self.quota = quota
            if quota.remaining == 0:
                self._spend(None)
        return reply

    def delivered(self) -> None:
        """A body arrived whole."""
        self._succeeded()

    def failed(self) -> None:
        """A body broke off or stalled after good headers."""
        with self._lock:
            self._breaker.failed(self._now())
        self._failure = Failure(UpstreamUnavailable.code, self._clock())

    def left_alone_until(self, *, metered: bool) -> float:
        """Until when a GET would raise without being sent, in seconds since the epoch, infinity
        while offline; 0 when it would be sent. ``metered``: it counts against the quota."""
        if self.offline:
            return math.inf
        with self._lock:
            now = self._now()
            until = self._breaker.blocked_until(now) or 0.0
            if metered and now < self._spent_until:
                until = max(until, self._spent_until)
            return until and until - self._set_back

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
        self._upstream.close()

    def _remember(self, error: VirtregError) -> None:
        self._failure = Failure(error.code, self._clock())

    def _throttled(self, retry_after: float | None) -> None:
        with self._lock:
            now = self._now()
            self._breaker.throttled(now, retry_after)
            self._throttled_until = self._breaker.blocked_until(now) or now

    def _spend(self, seconds: float | None) -> None:
        with self._lock:
            pause = SPENT if seconds is None else min(seconds, MAX_RETRY_AFTER)
            self._spent_until = max(self._spent_until, self._now() + pause)

    def _spent(self, seconds: float) -> UpstreamThrottled:
        return UpstreamThrottled(
            f"{self.spec.name} takes no more of these requests: its quota is used up; the next is "
            f"sent in {seconds:.0f} s",
            upstream=self.spec.name,
            retry_after=max(1.0, seconds),
        )

    def _left_alone(self, seconds: float, *, throttled: bool) -> UpstreamError:
        kind = UpstreamThrottled if throttled else UpstreamUnavailable
        why = "asked us to slow down" if throttled else "failed repeatedly"
        return kind(
            f"{self.spec.name} {why} and is left alone for {seconds:.0f} s more",
            upstream=self.spec.name,
            retry_after=seconds,
        )

    def _succeeded(self) -> None:
        with self._lock:
            self._breaker.succeeded(self._now())

    def _now(self) -> float:
        """The breaker's time, which never runs backwards. Under the lock.

        The clock may: a machine that starts with a wrong one sets it back while upstreams are
        left alone, and they would stay so until it has caught up.
        """
        told, self._told = self._told, self._clock()
        self._set_back += max(0.0, told - self._told)
        return self._told + self._set_back

"""Whether an upstream is worth asking right now: its breaker, shared by every registry using it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from virtreg.core.breaker import Breaker
from virtreg.errors import (
    UpstreamError,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from virtreg.model import Fetch
from virtreg.protocols import Reply, Upstream


class GuardedUpstream:
    """An upstream behind its breaker; the protocol ``Upstream``. Thread-safe."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float]) -> None:
        self._upstream = upstream
        self._clock = clock
        self._lock = threading.Lock()
        self._breaker = Breaker()
        self.spec = upstream.spec

    def fetch(self, request: Fetch) -> Reply:
        """As the upstream's own, but answers UpstreamUnavailable at once while the breaker is
        open, with ``retry_after``."""
        now = self._clock()
        with self._lock:
            admitted = self._breaker.admit(now)
            until = self._breaker.blocked_until(now)
        if not admitted:
            wait = max(1.0, (until or now) - now)
            raise UpstreamUnavailable(
                f"{self.spec.name} failed repeatedly and is left alone for {wait:.0f} s more",
                upstream=self.spec.name,
                retry_after=wait,
            )
        try:
            reply = self._upstream.fetch(request)
        except UpstreamThrottled as error:
            with self._lock:
                self._breaker.throttled(self._clock(), error.retry_after)
            raise
        except (UpstreamTimeout, UpstreamUnavailable):
            self.failed()
            raise
        except UpstreamError:
            # It answered, though not with what was wanted.
            self._succeeded()
            raise
        self._succeeded()
        return reply

    def failed(self) -> None:
        """A body broke off or stalled after good headers."""
        with self._lock:
            self._breaker.failed(self._clock())

    def blocked_until(self) -> float | None:
        """Until when the upstream is left alone, or None."""
        with self._lock:
            return self._breaker.blocked_until(self._clock())

    def close(self) -> None:
        self._upstream.close()

    def _succeeded(self) -> None:
        with self._lock:
            self._breaker.succeeded(self._clock())

"""How often a caller may ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from virtreg.core.ratelimit import Buckets, Rate
from virtreg.errors import VirtregError
from virtreg.wsgi.addresses import Addresses

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class TooManyRequests(VirtregError):
    """RFC 6585, 4."""

    status: ClassVar[int] = 429
    code: ClassVar[str] = "too_many_requests"


class RequestLimit:
    """At most ``requests`` at once from one address, and as many again in each ``seconds``.
    Thread-safe. Raises ValueError for fewer than one request and for no time."""

    def __init__(
        self,
        requests: int = 1000,
        seconds: float = 15,
        addresses: Addresses | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = Buckets(Rate(requests, seconds))
        self._addresses = addresses or Addresses()
        self._clock = clock
        self._lock = Lock()

    def check(self, environ: WSGIEnvironment) -> None:
        """Count a request. Raises TooManyRequests."""
        address = self._addresses.of(environ)
        with self._lock:
            wait = self._buckets.take(address, self._clock())
        if wait:
            raise TooManyRequests("too many requests from this address", retry_after=wait)

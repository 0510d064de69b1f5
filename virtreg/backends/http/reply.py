"""An upstream's answer, its body read as it arrives."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable, Mapping

from virtreg.backends.http.line import Exchange
from virtreg.errors import UpstreamError, UpstreamUnavailable

_WORTH_DRAINING = 64 * 1024
_DRAIN_SECONDS = 0.2


class HttpReply:
    """A Reply over one connection. Used by one thread; always closed.

    ``release`` is called exactly once, on close, with whether the connection may serve again.
    """

    def __init__(
        self,
        upstream: str,
        exchange: Exchange,
        headers: Mapping[str, str],
        *,
        method: str,
        length: int | None,
        release: Callable[[bool], None],
    ) -> None:
        self._upstream = upstream
        self._connection = exchange.connection
        self._response = exchange.response
        self._deadline = exchange.deadline
        self._release = release
        self._headers = headers
        self._length = length
        self._received = 0
        self._bodiless = method == "HEAD" or self.status == 304
        self._ended = self._bodiless
        self._failure: UpstreamError | None = None
        self._closed = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case; repeated headers joined with a comma (RFC 9110, 5.3)."""
        return self._headers

    @property
    def length(self) -> int | None:
        """Bytes of the body from ``Content-Length``; for HEAD, those a GET would have."""
        return self._length

    def read(self, limit: int) -> bytes:
        """Up to ``limit`` bytes, at least one, as soon as they are there; ``b""`` at the end."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise ValueError("the reply is closed")
        if self._ended:
            return b""
        try:
            piece = self._response.read1(limit)
        except TimeoutError:
            self._failure = self._deadline.error(self._upstream, self._stalled())
            raise self._failure from None
        except (OSError, http.client.HTTPException):
            raise self._cut() from None
        self._received += len(piece)
        if not piece:
            if self._length is not None and self._received < self._length:
                raise self._cut()
            self._ended = True
        return piece

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end.

        A short rest is read first, if it comes at once: the connection is worth more.
        """
        if self._closed:
            return
        self._closed = True
        reusable = False
        try:
            reusable = self._drained() and not self._response.will_close
            self._response.close()
        finally:
            self._release(reusable)

    def _drained(self) -> bool:
        if self._failure is not None:
            return False
        if self._ended or self._received == self._length:
            return True
        rest = _WORTH_DRAINING if self._length is None else self._length - self._received
        if rest > _WORTH_DRAINING or self._response.will_close:
            return False
        with contextlib.suppress(OSError, http.client.HTTPException):
            # Not of the exchange's own: after a redirect it goes on.
            self._connection.hold_to(self._deadline.part(_DRAIN_SECONDS))
            while rest > 0:
                piece = self._response.read1(rest)
                if not piece:
                    return self._length is None
                rest -= len(piece)
            return self._length is not None
        return False

    def _stalled(self) -> str:
        return f"no byte after the first {self._received}" if self._received else "no byte of body"

    def _cut(self) -> UpstreamUnavailable:
        of = "" if self._length is None else f" of {self._length}"
        self._failure = UpstreamUnavailable(
            f"upstream {self._upstream!r}: connection cut after {self._received}{of} bytes",
            upstream=self._upstream,
        )
        return self._failure

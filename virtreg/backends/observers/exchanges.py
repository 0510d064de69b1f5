"""Telling what upstreams are asked, and what that took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from virtreg.errors import VirtregError
from virtreg.events import Observer, UpstreamAsked, UpstreamRead
from virtreg.model import Fetch, UpstreamSpec
from virtreg.protocols import Reply, Upstream
from virtreg.spans import Fact, OpenSpan, Tracer

_OUTCOMES = {200: "found", 206: "found", 304: "unchanged", 404: "absent", 410: "absent"}


class ObservedUpstream:
    """An upstream whose exchanges are told to ``tell``, and traced where there is a ``tracer``; the
    protocol ``Upstream``. Thread-safe. ``clock`` gives seconds and never runs backwards."""

    def __init__(
        self,
        upstream: Upstream,
        tell: Observer,
        tracer: Tracer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstream = upstream
        self._tell = tell
        self._tracer = tracer
        self._clock = clock

    @property
    def spec(self) -> UpstreamSpec:
        return self._upstream.spec

    def fetch(self, request: Fetch) -> Reply:
        """As the upstream's own."""
        if self._tracer is None:
            return self._asked(request, None)
        facts: dict[str, Fact] = {
            "http.request.method": request.method,
            "virtreg.upstream": self.spec.name,
            "virtreg.path": request.path,
        }
        with self._tracer.asking(f"{request.method} upstream", facts) as span:
            return self._asked(request, span)

    def close(self) -> None:
        self._upstream.close()

    def _asked(self, request: Fetch, span: OpenSpan | None) -> Reply:
        began = self._clock()
        try:
            reply = self._upstream.fetch(request)
        except BaseException as error:
            code = error.code if isinstance(error, VirtregError) else VirtregError.code
            if span is not None:
                span.fail(code)
                span.end()
            self._told(request, code, began)
            raise
        if span is not None:
            span.tell("http.response.status_code", reply.status)
        self._told(request, _OUTCOMES[reply.status], began)
        return _ObservedReply(reply, request.path, self.spec.name, self._tell, span, self._clock)

    def _told(self, request: Fetch, outcome: str, began: float) -> None:
        took = self._clock() - began
        self._tell(UpstreamAsked("", request.path, self.spec.name, outcome, took))


class _ObservedReply:
    """The protocol ``Reply``."""

    def __init__(
        self,
        reply: Reply,
        path: str,
        upstream: str,
        tell: Observer,
        span: OpenSpan | None,
        clock: Callable[[], float],
    ) -> None:
        self._reply = reply
        self._path = path
        self._upstream = upstream
        self._tell = tell
        self._span = span
        self._clock = clock
        self._began = clock()
        self._received = 0
        self._failure = ""
        self._closed = False

    @property
    def status(self) -> int:
        return self._reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._reply.headers

    @property
    def length(self) -> int | None:
        return self._reply.length

    def read(self, limit: int) -> bytes:
        try:
            piece = self._reply.read(limit)
        except VirtregError as error:
            self._failure = error.code
            raise
        self._received += len(piece)
        return piece

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._reply.close()
        finally:
            took = self._clock() - self._began
            self._tell(
                UpstreamRead("", self._path, self._upstream, self._received, took, self._failure)
            )
            if self._span is not None:
                self._span.tell("virtreg.received_bytes", self._received)
                if self._failure:
                    self._span.fail(self._failure)
                self._span.end()

"""Spans for OpenTelemetry, sent by OTLP over HTTP.

Loaded only where a collector is configured: opentelemetry is an extra, and slow to load.
"""

from __future__ import annotations

import importlib.metadata
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from attrs import field, frozen
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from virtreg.correlation import TRACE
from virtreg.errors import VirtregError
from virtreg.events import Event, Filled
from virtreg.spans import Fact

_PATH = "/v1/traces"
"""Of the signal, below the endpoint (OTLP specification, "OTLP/HTTP Request")."""

_PATIENCE = 5
"""Seconds for one batch, and for the last ones when the process ends."""

_PROPAGATOR = TraceContextTextMapPropagator()

_PARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{1,64})?")
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ !-+\--<>-~]{0,255}[!-+\--<>-~]")
_MOST_MEMBERS = 32
_LONGEST_STATE = 512
"""Of what a caller says of its trace (W3C Trace Context, 3.2 and 3.3). What does not fit is not
looked at further: what takes it apart writes it to logs."""


@frozen(eq=False)
class _Span:
    """The protocol ``OpenSpan``."""

    span: trace.Span

    def tell(self, name: str, value: Fact) -> None:
        self.span.set_attribute(name, value)

    def fail(self, code: str) -> None:
        self.span.set_status(trace.Status(trace.StatusCode.ERROR))
        self.span.set_attribute("error.type", code)

    def end(self) -> None:
        self.span.end()


@frozen(eq=False)
class OtlpTracer:
    """The protocol ``Tracer``. A collector that is slow or away costs spans, and nobody's time:
    they wait in memory, a few thousand at most, for a thread that sends them.

    ``clock`` gives seconds since the epoch.
    """

    _provider: TracerProvider
    _tracer: trace.Tracer = field(repr=False)
    _clock: Callable[[], float] = field(repr=False)

    @classmethod
    def opened(
        cls, endpoint: str, ratio: float, clock: Callable[[], float] = time.time
    ) -> OtlpTracer:
        """``endpoint`` is the URL of the collector without the path of the signal. ``ratio`` of the
        requests that are part of no trace begin one; those that are part of one are traced if it
        is."""
        # What it says of a collector that is away comes with each batch. A filter counts for
        # its own logger alone, and not for those below.
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(_Seldom(clock))
        version = importlib.metadata.version("virtreg")
        resource = Resource.create({"service.name": "virtreg", "service.version": version})
        # Of its own: the host's, if it has one, is the host's to set.
        provider = TracerProvider(
            resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint.rstrip("/") + _PATH, timeout=_PATIENCE)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider, provider.get_tracer("virtreg", version), clock)

    @contextmanager
    def serving(
        self, name: str, caller: Mapping[str, str], facts: Mapping[str, Fact]
    ) -> Iterator[_Span]:
        told = _told(caller)
        parent = _PROPAGATOR.extract(told) if told else None
        with self._tracer.start_as_current_span(
            name,
            parent,
            trace.SpanKind.SERVER,
            dict(facts),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _Span(span)

    @contextmanager
    def working(self, name: str, facts: Mapping[str, Fact]) -> Iterator[_Span]:
        with self._tracer.start_as_current_span(
            name, attributes=dict(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            told = _Span(span)
            try:
                yield told
            except VirtregError as error:
                told.fail(error.code)
                raise

    @contextmanager
    def asking(self, name: str, facts: Mapping[str, Fact]) -> Iterator[_Span]:
        span = self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=dict(facts))
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            fields: dict[str, str] = {}
            _PROPAGATOR.inject(fields)
            # What tracers of the caller say to each other is not for upstreams.
            fields.pop("tracestate", None)
            token = TRACE.set(tuple(fields.items()))
            try:
                yield _Span(span)
            finally:
                TRACE.reset(token)

    def observe(self, event: Event) -> None:
        """An observer of events: keeping what was downloaded happens behind the answer, and is
        part of the request all the same."""
        if isinstance(event, Filled):
            now = self._clock()
            facts = {"virtreg.registry": event.registry, "virtreg.upstream": event.upstream}
            span = self._tracer.start_span(
                "publish",
                attributes={**facts, "virtreg.path": event.path, "virtreg.bytes": event.size},
                start_time=_nanoseconds(now - event.publishing),
            )
            span.end(_nanoseconds(now))

    def close(self) -> None:
        # Its own limits are for each batch.
        ending = threading.Thread(target=self._provider.shutdown, name="virtreg-spans", daemon=True)
        ending.start()
        ending.join(_PATIENCE)


class _Seldom(logging.Filter):
    """Lets one record a minute pass."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._told_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the signature it has
        now = self._clock()
        if 0 <= now - self._told_at < 60:
            return False
        self._told_at = now
        return True


def _told(caller: Mapping[str, str]) -> dict[str, str]:
    """What a caller says of its trace, where it is well-formed."""
    parent, state = caller.get("traceparent", ""), caller.get("tracestate", "")
    if _PARENT.fullmatch(parent) is None:
        return {}
    members = [each.strip(" \t") for each in state[: _LONGEST_STATE + 1].split(",")]
    known = len(state) <= _LONGEST_STATE and len(members) <= _MOST_MEMBERS
    if not known or any(each and _MEMBER.fullmatch(each) is None for each in members):
        return {"traceparent": parent}
    return {"traceparent": parent, "tracestate": ",".join(filter(None, members))}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)

"""Counting what happens, for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import prometheus_client
from attrs import define, field

from virtreg.backends.observers.metrics import declared
from virtreg.backends.observers.metrics.declared import METRICS, Metric
from virtreg.events import (
    AuditEvent,
    CleanedUp,
    Event,
    Filled,
    FillFailed,
    Merged,
    Revalidated,
    ServedStale,
    UpstreamAsked,
    UpstreamRead,
)

Reading = Mapping[tuple[str, ...], float]
"""Values of one figure now, by the values of its labels in order."""

Readings = Callable[[], Mapping[Metric, Reading]]


@define(eq=False)
class Figures:
    """The figures of one process. Thread-safe, except that ``count`` and ``sample`` are one
    thread's.

    ``formats`` gives the format of each registry by its name. ``gauges`` are read by ``sample``,
    and what is not among its readings any more is 0. So are ``totals``, counts since the start that
    others keep.
    """

    registry: prometheus_client.CollectorRegistry
    formats: Callable[[], Mapping[str, str]]
    gauges: Readings
    totals: Readings = dict
    _made: dict[Metric, Any] = field(init=False)
    _requests: Counter[tuple[str, str]] = field(init=False, factory=Counter)
    _sent: Counter[str] = field(init=False, factory=Counter)
    _told: dict[Metric, set[tuple[str, ...]]] = field(init=False, factory=dict)
    _reached: Counter[tuple[Metric, tuple[str, ...]]] = field(init=False, factory=Counter)

    def __attrs_post_init__(self) -> None:
        self._made = {
            metric: _made(metric, self.registry) for metric in METRICS if not metric.scraped
        }

    def count(
        self, registry: str, outcome: str, code: str, size: int, seconds: float | None
    ) -> None:
        """One answer; ``seconds`` is None where it was ready. Costs next to nothing: the figures
        change with ``sample``."""
        self._requests[registry, outcome] += 1
        if size:
            self._sent[registry] += size
        if seconds is not None and registry:
            form = self.formats().get(registry, "")
            self._of(declared.ANSWER_SECONDS, form).observe(max(0.0, seconds))
        if code:
            self._of(declared.FAILURES, code).inc()

    def sample(self) -> None:
        """Write what was counted, and read the gauges."""
        formats = self.formats()
        for (registry, outcome), times in self._requests.items():
            self._of(declared.REQUESTS, registry, formats.get(registry, ""), outcome).inc(times)
        for registry, size in self._sent.items():
            self._of(declared.SENT_BYTES, registry, formats.get(registry, "")).inc(size)
        self._requests.clear()
        self._sent.clear()
        for metric, reading in self.totals().items():
            for labels, value in reading.items():
                self._of(metric, *labels).inc(value - self._reached[metric, labels])
                self._reached[metric, labels] = int(value)
        for metric, reading in self.gauges().items():
            for labels, value in reading.items():
                self._of(metric, *labels).set(value)
            self._forget(metric, reading)

    def observe(self, event: Event) -> None:
        """An observer of events."""
        match event:
            case UpstreamAsked(upstream=upstream, outcome=outcome, seconds=seconds):
                self._of(declared.UPSTREAM_REQUESTS, upstream, outcome).inc()
                self._of(declared.UPSTREAM_SECONDS, upstream).observe(seconds)
            case UpstreamRead(upstream=upstream, size=size, failure=failure):
                self._of(declared.RECEIVED_BYTES, upstream).inc(size)
                if failure:
                    self._of(declared.CUTS, upstream, failure).inc()
            case Filled(upstream=upstream, publishing=publishing):
                self._of(declared.FILLS, upstream).inc()
                self._of(declared.PUBLISH_SECONDS).observe(max(0.0, publishing))
            case FillFailed(upstream=upstream):
                self._of(declared.FILL_FAILURES, upstream).inc()
            case Revalidated(upstream=upstream, changed=changed):
                outcome = "changed" if changed else "same"
                self._of(declared.REVALIDATIONS, upstream, outcome).inc()
            case ServedStale(upstream=upstream):
                self._of(declared.STALE, upstream).inc()
            case Merged(registry=registry, left_out=left_out):
                outcome = "partial" if left_out else "whole"
                self._of(declared.MERGES, registry, outcome).inc()
            case AuditEvent():
                self._of(declared.AUDIT_EVENTS, type(event).__name__).inc()
                if isinstance(event, CleanedUp):
                    self._cleaned(event)

    def _cleaned(self, event: CleanedUp) -> None:
        self._of(declared.CLEANUP_RUNS, "failed" if event.failure else "finished").inc()
        for name, entries, size in event.formats:
            self._of(declared.CLEANUP_ENTRIES, name).inc(entries)
            self._of(declared.CLEANUP_BYTES, name).inc(size)

    def _of(self, metric: Metric, *labels: str) -> Any:
        made = self._made[metric]
        return made.labels(*labels) if labels else made

    def _forget(self, metric: Metric, reading: Iterable[tuple[str, ...]]) -> None:
        """What is there no more, such as an upstream that was removed, has nothing to tell. Its
        series stays: several processes cannot remove one."""
        now = {labels for labels in reading if labels}
        for labels in self._told.get(metric, set()) - now:
            self._of(metric, *labels).set(0)
        self._told[metric] = now


def _made(metric: Metric, registry: prometheus_client.CollectorRegistry) -> Any:
    name, meaning, labels = metric.name, metric.meaning, metric.labels
    if metric.kind == "counter":
        return prometheus_client.Counter(name, meaning, labels, registry=registry)
    if metric.kind == "histogram":
        return prometheus_client.Histogram(
            name, meaning, labels, registry=registry, buckets=metric.buckets
        )
    mode: Any = "livesum" if metric.over == "sum" else "livemax"
    return prometheus_client.Gauge(name, meaning, labels, registry=registry, multiprocess_mode=mode)

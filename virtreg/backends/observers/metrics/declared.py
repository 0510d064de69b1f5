"""Every figure there is: its name, its kind, what tells its series apart, and what it means.

Labels are names of registries, upstreams, groups and formats, and words of short lists: never a
path, an address or a person.
"""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


@frozen
class Metric:
    """One figure, as Prometheus calls its parts."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    over: Literal["sum", "max"] = "sum"
    """Of a gauge: what several processes make together."""
    scraped: bool = False
    """Looked up when it is asked for, by whichever process is asked: it is the same in all."""
    buckets: tuple[float, ...] = _FAST


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, "counter", meaning, labels)


def _histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, "histogram", meaning, labels)


REQUESTS: Final = _counter(
    "virtreg_requests_total",
    "Requests that were answered.",
    "registry",
    "format",
    "outcome",
)
SENT_BYTES: Final = _counter(
    "virtreg_sent_bytes_total",
    "Bytes of bodies that were promised to clients.",
    "registry",
    "format",
)
FAILURES: Final = _counter(
    "virtreg_failures_total",
    "Answers with a status of 500 or more, by the code of the error.",
    "code",
)
ANSWER_SECONDS: Final = _histogram(
    "virtreg_answer_seconds",
    "Time until an answer began that was not ready in memory.",
    "format",
)
UPSTREAM_REQUESTS: Final = _counter(
    "virtreg_upstream_requests_total",
    "Questions put to an upstream: `found`, `unchanged`, `absent`, or the code of the error.",
    "upstream",
    "outcome",
)
UPSTREAM_SECONDS: Final = _histogram(
    "virtreg_upstream_seconds",
    "Time until the end of the headers of an upstream's answer.",
    "upstream",
)
RECEIVED_BYTES: Final = _counter(
    "virtreg_upstream_received_bytes_total",
    "Bytes of bodies that came from an upstream.",
    "upstream",
)
CUTS: Final = _counter(
    "virtreg_upstream_cuts_total",
    "Bodies that broke off, by the code of the error.",
    "upstream",
    "code",
)
FILLS: Final = _counter("virtreg_fills_total", "Downloads that were proved and kept.", "upstream")
FILL_FAILURES: Final = _counter(
    "virtreg_fill_failures_total",
    "Downloads that were not kept: cut, corrupt, or no room.",
    "upstream",
)
PUBLISH_SECONDS: Final = _histogram(
    "virtreg_publish_seconds", "Time from the last byte of a download until it was kept."
)
REVALIDATIONS: Final = _counter(
    "virtreg_revalidations_total",
    "Cached files whose upstream was asked whether they are current: `same` or `changed`.",
    "upstream",
    "outcome",
)
STALE: Final = _counter(
    "virtreg_stale_total",
    "Cached files served past their validity because the upstream could not be asked.",
    "upstream",
)
MERGES: Final = _counter(
    "virtreg_merges_total",
    "Documents merged of several upstreams: `whole`, or `partial` where one was left out.",
    "registry",
    "outcome",
)
AUDIT_EVENTS: Final = _counter(
    "virtreg_audit_events_total", "Audit events, by their kind, such as `SignInFailed`.", "event"
)
NODE_CACHE: Final = _counter(
    "virtreg_node_cache_total",
    "Blobs of an object store: `hits` were opened from the copies of the node, `copies` were"
    " made, and `past` were too large for it.",
    "outcome",
)
CLEANUP_RUNS: Final = _counter(
    "virtreg_cleanup_runs_total", "Runs of cleanup policies: `finished` or `failed`.", "outcome"
)
CLEANUP_ENTRIES: Final = _counter(
    "virtreg_cleanup_entries_total", "Cached paths that cleanups removed.", "format"
)
CLEANUP_BYTES: Final = _counter(
    "virtreg_cleanup_bytes_total", "Bytes that cleanups freed.", "format"
)

TRANSFERS: Final = Metric("virtreg_transfers", "gauge", "Large downloads that run now.")
FLIGHTS: Final = Metric(
    "virtreg_flights", "gauge", "Questions that are being answered and may be joined by others."
)
PUBLICATIONS: Final = Metric(
    "virtreg_publications_waiting", "gauge", "Small downloads that wait to be kept; 128 at most."
)
NEGATIVES: Final = Metric("virtreg_negative_entries", "gauge", "Absences that are remembered.")
RESIDENT: Final = Metric(
    "virtreg_resident_bytes", "gauge", "Memory of the processes; 0 where it cannot be told."
)
DESCRIPTORS: Final = Metric(
    "virtreg_open_descriptors",
    "gauge",
    "Files and sockets that are open; 0 where it cannot be told.",
)
BREAKER: Final = Metric(
    "virtreg_upstream_breaker",
    "gauge",
    "Whether an upstream is asked: 0 yes, 1 the next request is a trial, 2 it is left alone.",
    ("upstream",),
    over="max",
)
PROCESSES: Final = Metric("virtreg_processes", "gauge", "Processes that answer.")

BUILD: Final = Metric(
    "virtreg_build_info", "gauge", "Always 1.", ("version", "python"), scraped=True
)
UP: Final = Metric(
    "virtreg_part_up",
    "gauge",
    "Whether what the server depends on can be used: 1 or 0.",
    ("part",),
    scraped=True,
)
DISK_FREE: Final = Metric(
    "virtreg_disk_free_bytes", "gauge", "Bytes left on the disk of the data folder.", scraped=True
)
DISK_RESERVE: Final = Metric(
    "virtreg_disk_reserve_bytes", "gauge", "Of these, bytes that are never filled.", scraped=True
)
QUOTA: Final = Metric(
    "virtreg_quota_bytes",
    "gauge",
    "What a group may keep, where it has a quota.",
    ("group",),
    scraped=True,
)
QUOTA_USED: Final = Metric(
    "virtreg_quota_used_bytes",
    "gauge",
    "What a group with a quota keeps.",
    ("group",),
    scraped=True,
)
CATALOG: Final = Metric(
    "virtreg_catalog_revision",
    "gauge",
    "Grows with each change of registries and upstreams.",
    scraped=True,
)

METRICS: Final = tuple(value for value in tuple(globals().values()) if isinstance(value, Metric))
"""All of them."""

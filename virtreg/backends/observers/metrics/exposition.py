"""The page that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from virtreg.backends.observers.metrics.figures import Readings
from virtreg.backends.observers.metrics.files import FilesOfProcesses

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@frozen(eq=False)
class Page:
    """Of one process that counts in ``registry``; where its figures are in ``files``, of all
    processes that have theirs there. ``looked_up`` is what is read when the page is. Thread-safe.
    """

    registry: CollectorRegistry
    looked_up: Readings
    files: FilesOfProcesses | None = None

    def render(self) -> tuple[str, bytes]:
        """The media type, and the page."""
        counted = self.registry
        if self.files is not None:
            counted = CollectorRegistry()
            self.files.bury()
            MultiProcessCollector(counted, str(self.files.folder))  # type: ignore[no-untyped-call]
        read = CollectorRegistry()
        read.register(_LookedUp(self.looked_up))
        return MEDIA_TYPE, generate_latest(_Plain(counted)) + generate_latest(read)


@frozen(eq=False)
class _Plain:
    """Without the times at which series began, which double their number and which one process
    tells and several do not."""

    registry: CollectorRegistry

    def collect(self) -> Iterator[Metric]:
        for family in self.registry.collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


@frozen(eq=False)
class _LookedUp:
    """The protocol of prometheus-client's collectors."""

    readings: Readings

    def collect(self) -> Iterator[Metric]:
        for metric, reading in self.readings().items():
            family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for labels, value in reading.items():
                family.add_metric(labels, value)
            yield family

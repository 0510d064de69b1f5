"""The page that Prometheus reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from virtreg.backends.observers.metrics.figures import Readings

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""In the environment of processes that count in files: the folder."""

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
        return MEDIA_TYPE, generate_latest(counted) + generate_latest(read)


@frozen
class FilesOfProcesses:
    """A folder in which several processes count together, each in files of its own.

    prometheus-client decides when it is loaded whether it counts in files, by ``VARIABLE``.
    """

    folder: Path

    @classmethod
    def found(cls) -> FilesOfProcesses | None:
        """Where this process counts; None: in its memory."""
        place = os.environ.get(VARIABLE)
        return cls(Path(place)) if place else None

    def bury(self) -> None:
        """Forget what processes that have ended say of themselves at this moment; what they have
        counted stays."""
        for pid in {int(pid) for pid in self._living_gauges()}:
            if not _runs(pid):
                mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]

    def _living_gauges(self) -> Iterator[str]:
        for path in self.folder.glob("gauge_live*_*.db"):
            pid = path.stem.rpartition("_")[2]
            if pid.isdigit():
                yield pid


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


def begin_folder(below: Path) -> Path:
    """An empty folder for the processes of this server, and of it alone; those of servers that have
    ended go. Raises OSError."""
    below.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = below / str(os.getpid())
    for folder in below.iterdir():
        if folder.name.isdigit() and (folder == own or not _runs(int(folder.name))):
            shutil.rmtree(folder)
    own.mkdir(mode=0o700)
    return own


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # Another account's, and so alive.
    return True

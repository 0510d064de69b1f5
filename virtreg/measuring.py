"""What the figures of one process are read from."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from virtreg.core.capacity import reserve_of
from virtreg.errors import ConfigError, VirtregError
from virtreg.live import Live
from virtreg.protocols import CacheStore
from virtreg.service.nearby import NearbyStore
from virtreg.service.room import Room
from virtreg.service.works import Works

if TYPE_CHECKING:
    from virtreg.backends.observers.metrics.declared import Metric
    from virtreg.backends.observers.metrics.exposition import Page
    from virtreg.backends.observers.metrics.figures import Figures, Reading

_BREAKERS: Final = {"closed": 0, "half_open": 1, "open": 2}

Check = Callable[[], None]
"""Raises VirtregError when the part is not usable."""


@frozen(eq=False)
class Measured:
    """The parts that have something to tell."""

    works: Works
    live: Live
    room: Room
    store: CacheStore
    path: Path
    """The data folder."""
    checks: Mapping[str, Check]

    def formats(self) -> Mapping[str, str]:
        return {name: each.format.name for name, each in self.live.registries.items()}

    def gauges(self) -> Mapping[Metric, Reading]:
        """Of this process."""
        from virtreg.backends.observers.metrics import declared

        breakers: dict[tuple[str, ...], float] = {}
        for upstream in self.live.upstreams:
            state = _BREAKERS[upstream.health().breaker]
            key = (upstream.spec.name,)
            breakers[key] = max(state, breakers.get(key, 0))
        works, one = self.works, ()
        return {
            declared.TRANSFERS: {one: works.intake.active},
            declared.FLIGHTS: {one: len(works.flights)},
            declared.PUBLICATIONS: {one: works.publisher.waiting},
            declared.NEGATIVES: {one: len(works.negatives)},
            declared.RESIDENT: {one: _resident()},
            declared.DESCRIPTORS: {one: _descriptors()},
            declared.PROCESSES: {one: 1},
            declared.BREAKER: breakers,
        }

    def totals(self) -> Mapping[Metric, Reading]:
        """Of this process, since its start."""
        from virtreg.backends.observers.metrics import declared

        store = self.store
        if not isinstance(store, NearbyStore):
            return {}
        return {declared.NODE_CACHE: {(name,): times for name, times in store.totals().items()}}

    def looked_up(self) -> Mapping[Metric, Reading]:
        """The same in all processes."""
        from virtreg.backends.observers.metrics import declared

        quotas = self.room.quotas()
        disk = shutil.disk_usage(self.path)
        return {
            declared.BUILD: {(version("virtreg"), platform.python_version()): 1},
            declared.UP: {(name,): _up(check) for name, check in self.checks.items()},
            declared.DISK_FREE: {(): disk.free},
            declared.DISK_RESERVE: {(): reserve_of(disk.total)},
            declared.QUOTA: {(group,): most for group, (_, most) in quotas.items()},
            declared.QUOTA_USED: {(group,): used for group, (used, _) in quotas.items()},
            declared.CATALOG: {(): self.live.revision},
        }


def open_figures(measured: Callable[[], Measured]) -> tuple[Figures, Page]:
    """``measured`` is called when figures are read, and not before. Raises ConfigError where
    prometheus-client is not installed."""
    try:
        from prometheus_client import CollectorRegistry

        from virtreg.backends.observers.metrics.exposition import Page
        from virtreg.backends.observers.metrics.figures import Figures
        from virtreg.backends.observers.metrics.files import FilesOfProcesses
    except ImportError:
        raise ConfigError("metrics.enabled: needs the extra virtreg[metrics]") from None
    registry = CollectorRegistry()
    figures = Figures(
        registry,
        lambda: measured().formats(),
        lambda: measured().gauges(),
        lambda: measured().totals(),
    )
    return figures, Page(registry, lambda: measured().looked_up(), FilesOfProcesses.found())


def _up(check: Check) -> int:
    try:
        check()
    except VirtregError:
        return 0
    return 1


def _resident() -> int:
    """Bytes; Linux tells them in pages of 4 KiB on nearly every machine, and in kB of each."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def _descriptors() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 0

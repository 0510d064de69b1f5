"""A group with two registries over a real catalog, index and store, and a clock that is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.service.hub import entry_of
from tests.service.recorder import Recorder
from virtreg.backends.catalog import open_catalog
from virtreg.backends.index import open_index
from virtreg.backends.store import LocalStore, MemoryStore
from virtreg.backends.vault import MasterKeys
from virtreg.core.layout import blob_key
from virtreg.managed import CleanupPolicy, GroupSettings
from virtreg.model import Entry, RegistrySpec, UpstreamSpec
from virtreg.service.cleaning import Cleaner
from virtreg.service.consistency import Consistency, Finding
from virtreg.testing.fakes import FakeClock

DAY = 86_400.0
GROUP = "team"

CENTRAL = UpstreamSpec("central", "https://central.example/")
HUB = UpstreamSpec("hub", "https://hub.example/")
OTHERS = UpstreamSpec("others", "https://others.example/")

REGISTRIES = (
    RegistrySpec(1, "java", "maven", (CENTRAL,), group=GROUP),
    RegistrySpec(2, "images", "container", (HUB,), group=GROUP),
    RegistrySpec(3, "theirs", "maven", (OTHERS,), group="rest"),
)


class Bed:
    """Close it after the test."""

    def __init__(self, folder: Path, *, on_disk: bool = False) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.events = Recorder()
        self._stack = ExitStack()
        self.index = open_index(folder)
        self._stack.callback(self.index.close)
        self.store: LocalStore | MemoryStore
        if on_disk:
            self.store = LocalStore(folder)
            self._stack.callback(self.store.close)
        else:
            self.store = MemoryStore(self.clock)
        keys = MasterKeys(folder / "secret.key")
        self.catalog = open_catalog(folder, REGISTRIES, keys=keys, clock=self.clock)
        self._stack.callback(self.catalog.close)

    def cleaner(self, **options: Any) -> Cleaner:
        return Cleaner(
            self.index,
            self.store,
            self.catalog,
            self.clock,
            self.events,
            **{"hurry": True, **options},
        )

    def keep(
        self, upstream: UpstreamSpec, path: str, content: bytes, *, used: bool = False
    ) -> Entry:
        """Cache something now; ``used``: and download it."""
        entry = entry_of(upstream.key, path, content, at=self.clock())
        self.store.put(blob_key(entry.sha256), content)
        self.index.put([entry])
        if used:
            self.download(upstream, path)
        return entry

    def keep_many(self, upstream: UpstreamSpec, count: int) -> None:
        """Cache so many different files now, at paths that sort as they count."""
        bodies = {f"{number:06}": b"%06d" % number for number in range(count)}
        entries = [
            entry_of(upstream.key, path, body, at=self.clock()) for path, body in bodies.items()
        ]
        for entry, body in zip(entries, bodies.values(), strict=True):
            self.store.put(blob_key(entry.sha256), body)
        self.index.put(entries)

    def download(self, upstream: UpstreamSpec, path: str) -> None:
        self.index.count({(upstream.key, path): (1, self.clock())})

    def policy(self, **settings: Any) -> CleanupPolicy:
        """Save one, enabled, that is due."""
        now = self.clock()
        policy = CleanupPolicy(GROUP, now, now, **{"enabled": True, "next_run_at": now, **settings})
        self.catalog.save_policy(policy)
        return policy

    def saved(self) -> CleanupPolicy:
        policy = self.catalog.policy(GROUP)
        assert policy is not None
        return policy

    def settings(self, **settings: Any) -> None:
        self.catalog.save_settings(GroupSettings(GROUP, **settings))

    def paths(self, upstream: UpstreamSpec) -> list[str]:
        return [entry.path for entry in self.index.page(upstream.key, limit=1_000_000)]

    def blobs(self) -> set[str]:
        return {key.rpartition("/")[2] for key, _, _ in self.store.list()}

    def findings(self, **options: Any) -> list[Finding]:
        check = Consistency(self.index, self.store, self.clock).check
        return list(check(**{"age": 0.0, **options}))

    def close(self) -> None:
        self._stack.close()


MakeBed = Callable[..., Bed]

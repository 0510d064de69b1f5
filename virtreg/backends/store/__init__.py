"""Where blobs are kept: a local folder, memory, or a remote place that fsspec reaches."""

from __future__ import annotations

from pathlib import Path

from virtreg.backends.store.local import LocalStore
from virtreg.backends.store.memory import MemoryStore
from virtreg.protocols import CacheStore

__all__ = ["LocalStore", "MemoryStore", "open_store"]


def open_store(place: str | Path) -> CacheStore:
    """The store at a local path, at ``memory://``, or at a URL such as ``s3://bucket/prefix``.

    Touches no storage yet. Raises ConfigError for a URL that no store can be built on.
    """
    if isinstance(place, Path) or "://" not in place:
        return LocalStore(Path(place))
    if place == "memory://":
        return MemoryStore()
    from virtreg.backends.store.objects import ObjectStore

    return ObjectStore(place)

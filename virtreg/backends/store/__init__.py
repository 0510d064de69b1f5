"""Where blobs are kept: a local folder, memory, or a remote place that fsspec reaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from virtreg.backends.store.local import LocalStore
from virtreg.backends.store.memory import MemoryStore
from virtreg.protocols import CacheStore, Spools

__all__ = ["LocalStore", "MemoryStore", "has_links", "open_store", "spool_folder"]


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


def has_links(place: str | Path) -> bool:
    """Whether clients can be given links to what a store there holds. Raises ConfigError."""
    if isinstance(place, Path) or "://" not in place or place == "memory://":
        return False
    from virtreg.backends.store.filesystem import links, scheme_of

    return links(scheme_of(place))


def spool_folder(store: CacheStore, path: Path) -> Callable[[], Path]:
    """Where downloads wait: on a local disk, below ``path`` if need be, wherever the blobs end
    up."""
    return store.spool if isinstance(store, Spools) else LocalStore(path).spool

"""Whether the parts of a process can be used."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from virtreg.config import StorageConfig
from virtreg.core.capacity import reserve_of
from virtreg.core.layout import blob_key
from virtreg.errors import Missing, NoRoom, StorageError, StoreUnavailable
from virtreg.protocols import CacheStore, EntryIndex, TellsHealth
from virtreg.service.journal import Journal
from virtreg.wsgi.probes import Check


def checks_of(index: EntryIndex, store: CacheStore, journal: Journal) -> Mapping[str, Check]:
    """By name, what raises StorageError while a part cannot be used."""
    return {
        "index": partial(_ask_index, index),
        "store": partial(_ask_store, store),
        "journal": partial(_ask_journal, journal),
    }


def essential(storage: StorageConfig) -> frozenset[str]:
    """The parts without which this process cannot serve, or others could do better: a database that
    all nodes share is not among them, nor a store whose bodies upstreams have, too."""
    own = frozenset[str]() if storage.database else frozenset({"index"})
    return own if storage.when_unavailable == "stream" else own | {"store"}


def require_space(path: Path) -> None:
    """Raises NoRoom while nothing is kept because the disk is nearly full."""
    try:
        usage = shutil.disk_usage(path)
    except OSError as error:
        raise StorageError(f"the disk cannot be asked: {error.strerror}") from error
    if usage.free < reserve_of(usage.total):
        raise NoRoom("the disk is nearly full: what is downloaded is not kept")


def _ask_index(index: EntryIndex) -> None:
    index.find("", [""])


def _ask_store(store: CacheStore) -> None:
    """Holding nothing is fine."""
    if isinstance(store, TellsHealth) and not store.available():
        raise StoreUnavailable("the store cannot be used for now")
    with suppress(Missing):
        store.open(blob_key("0" * 64)).close()


def _ask_journal(journal: Journal) -> None:
    if journal.trouble:
        raise StorageError(journal.trouble)

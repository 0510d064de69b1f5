"""Where all that is kept is, as a configuration says."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from attrs import field, frozen

from virtreg.backends.directory import SqlDirectory, open_directory
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.store import LocalStore, has_links, open_store, spool_folder
from virtreg.config import Config
from virtreg.config.values import StorageConfig
from virtreg.core.capacity import reserve_of
from virtreg.errors import ConfigError
from virtreg.protocols import CacheStore
from virtreg.service.nearby import NearbyStore, Remote


@frozen(eq=False)
class Storage:
    """Opened; ``close`` once, or leave a ``with`` block."""

    path: Path
    """The folder of this node."""
    server: DatabaseServer | None
    """The database that nodes share; None: all is in the folder."""
    store: CacheStore
    spool: Callable[[], Path]
    """Where downloads wait: on the node's own disk."""
    index: SqlIndex
    directory: SqlDirectory
    _opened: ExitStack = field(repr=False)

    @property
    def place(self) -> Path | DatabaseServer:
        """What databases are opened by."""
        return self.server or self.path

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_storage(config: Config) -> Storage:
    """Makes what is missing, and brings databases up to date. Raises ConfigError and
    StorageError."""
    storage = config.storage
    path = storage.path
    server = None
    with ExitStack() as opened:
        if storage.database is not None:
            server = opened.enter_context(
                closing(DatabaseServer(storage.database, storage.connections))
            )
        store = _open_blobs(storage, opened)
        index = opened.enter_context(closing(open_index(path)))
        directory = opened.enter_context(closing(open_directory(path)))
        return Storage(
            path,
            server,
            store,
            spool_folder(store, path),
            index,
            directory,
            opened.pop_all(),
        )


def _open_blobs(storage: StorageConfig, opened: ExitStack) -> CacheStore:
    """Those of a remote place with copies nearby, as many as the budget allows."""
    if storage.redirect != "never" and not has_links(storage.url or storage.path):
        raise ConfigError("storage.redirect: clients can be sent to a bucket at s3:// alone")
    store = open_store(storage.url or storage.path)
    if storage.url is None or not storage.cache_bytes or not isinstance(store, Remote):
        return store
    # A downloads folder is made for its owner alone, and so is this.
    copies = LocalStore(storage.path / "cache")
    opened.callback(copies.close)

    def room(size: int) -> bool:
        try:
            disk = shutil.disk_usage(storage.path)
        except OSError:
            return False
        # Before downloads themselves are not kept any more for want of room.
        return disk.free - size >= 2 * reserve_of(disk.total)

    return opened.enter_context(
        closing(NearbyStore(store, copies, storage.cache_bytes, time.time, room))
    )

"""Where all that is kept is, as a configuration says."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
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
from virtreg.errors import ConfigError, StorageError
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


@contextmanager
def open_place(config: Config) -> Iterator[Path | DatabaseServer]:
    """What databases are opened by, for a while. Raises ConfigError."""
    storage = config.storage
    if storage.database is None:
        yield storage.path
        return
    with closing(
        DatabaseServer(storage.database, storage.connections, upgrade=storage.upgrade)
    ) as server:
        yield server


def open_storage(config: Config) -> Storage:
    """Makes what is missing, and brings databases up to date. Raises ConfigError and
    StorageError."""
    storage = config.storage
    path = storage.path
    with ExitStack() as opened:
        place = opened.enter_context(open_place(config))
        server = place if isinstance(place, DatabaseServer) else None
        if server is not None:
            # Downloads wait there all the same.
            _make(path)
        store = _open_blobs(storage, opened)
        index = opened.enter_context(closing(open_index(place)))
        directory = opened.enter_context(closing(open_directory(place)))
        return Storage(
            path,
            server,
            store,
            spool_folder(store, path),
            index,
            directory,
            opened.pop_all(),
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot use the folder {folder}: {error.strerror}") from error


def open_place_of_blobs(storage: StorageConfig) -> CacheStore:
    """Where blobs are kept in the end; touches nothing. Raises ConfigError."""
    place = storage.url or storage.path
    try:
        linking = has_links(place)
        store = open_store(place)
    except ConfigError as error:
        raise ConfigError(f"storage.url: {error.message}") from None
    if storage.redirect != "never" and not linking:
        raise ConfigError("storage.redirect: clients can be sent to a bucket at s3:// alone")
    return store


def _open_blobs(storage: StorageConfig, opened: ExitStack) -> CacheStore:
    """Those of a remote place with copies nearby, as many as the budget allows."""
    store = open_place_of_blobs(storage)
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

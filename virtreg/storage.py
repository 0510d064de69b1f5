"""Where all that is kept is, as a configuration says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from attrs import field, frozen

from virtreg.backends.directory import SqlDirectory, open_directory
from virtreg.backends.index import SqlIndex, open_index
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.store import open_store, spool_folder
from virtreg.config import Config
from virtreg.protocols import CacheStore


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
        store = open_store(storage.url or path)
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

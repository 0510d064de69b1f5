"""Which registries and upstreams there are: kept in SQLite or PostgreSQL, or in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from virtreg.backends.catalog.limits import ManagementLimits
from virtreg.backends.catalog.memory import MemoryCatalog, consistent
from virtreg.backends.catalog.sealing import Sealer, StoredPasswords
from virtreg.backends.catalog.sql import SqlCatalog
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.migrate import Ledger
from virtreg.backends.sql.opening import open_durable, open_shared
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.vault import MasterKeys
from virtreg.errors import StorageError
from virtreg.model import RegistrySpec

__all__ = [
    "FILE",
    "LEDGER",
    "TROUBLE",
    "ManagementLimits",
    "MemoryCatalog",
    "SqlCatalog",
    "StoredPasswords",
    "open_catalog",
    "open_passwords",
]

FILE: Final = "catalog.sqlite"
"""The database's name in the data folder."""

LEDGER: Final = Ledger(
    Path(__file__).parent / "migrations" / "versions", "virtreg_catalog_version", "0002"
)

TROUBLE: Final = Trouble("the catalog")

_ALONE: Final = "catalog"
"""Whoever changes it in a database that nodes share is alone with all of that name."""


def open_catalog(
    place: str | Path | DatabaseServer,
    declared: Iterable[RegistrySpec] = (),
    *,
    keys: MasterKeys,
    clock: Callable[[], float] = time.time,
    limits: ManagementLimits | None = None,
    mirrored: bool = True,
) -> SqlCatalog:
    """The catalog in a folder on a local disk, as ``catalog.sqlite``, or in a database that nodes
    share.

    Makes the folder and the database, for the user alone who does, or brings an older database up
    to date; ``declared`` takes the place of what was declared when it was opened last. ``keys``
    seal the passwords of stored upstreams; the file of keys is made when the first one is stored.
    Without ``mirrored`` what was declared before stays, for a program beside the server: of what is
    ``declared`` only that is seen which the server knows too.

    Raises ConfigError for a database made by a newer version and for declared registries that
    contradict each other or stored ones, StorageError when the disk or the database fails.
    """
    specs = consistent(declared)
    if isinstance(place, DatabaseServer):
        database = open_shared(place, LEDGER, TROUBLE, alone=_ALONE)
    else:
        database = open_durable(Path(place).absolute() / FILE, LEDGER, TROUBLE)
    catalog = SqlCatalog(database, Sealer(keys), specs, clock, limits or ManagementLimits())
    try:
        if mirrored:
            catalog.mirror()
    except BaseException:
        catalog.close()
        raise
    return catalog


def open_passwords(place: str | Path | DatabaseServer) -> StoredPasswords | None:
    """The passwords of the catalog in a folder, where there is one, or in a database; it is opened
    for that alone.

    Raises as :func:`open_catalog` does.
    """
    if isinstance(place, DatabaseServer):
        return StoredPasswords(open_shared(place, LEDGER, TROUBLE, alone=_ALONE))
    file = Path(place).absolute() / FILE
    try:
        if not file.exists():
            return None
    except OSError as error:
        raise StorageError(f"cannot use {file}: {error.strerror}") from error
    return StoredPasswords(open_durable(file, LEDGER, TROUBLE))

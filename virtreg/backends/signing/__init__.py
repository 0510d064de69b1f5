"""The keys that tokens of image clients are signed with, where nodes share a database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from virtreg.backends.signing.sql import SqlKeys
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.migrate import Ledger
from virtreg.backends.sql.opening import open_shared
from virtreg.backends.sql.server import DatabaseServer
from virtreg.backends.vault import MasterKeys

__all__ = ["LEDGER", "TROUBLE", "SqlKeys", "open_sealed_keys"]

LEDGER: Final = Ledger(
    Path(__file__).parent / "migrations" / "versions", "virtreg_signing_version", "0001"
)

TROUBLE: Final = Trouble("the signing keys")


def open_sealed_keys(server: DatabaseServer, keys: MasterKeys) -> SqlKeys:
    """The signing keys of all nodes of a database; ``keys`` are the master keys that all of them
    have. Brings the database up to date; the caller closes it. Raises ConfigError for one of a
    newer version, and StorageError."""
    database = open_shared(server, LEDGER, TROUBLE, alone="signing keys")
    return SqlKeys(database, keys, str(server))

"""The keys that tokens of image clients are signed with, where nodes share a database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from virtreg.backends.signing.sql import SqlKeys
from virtreg.backends.sql.faults import Trouble
from virtreg.backends.sql.migrate import Ledger

__all__ = ["LEDGER", "TROUBLE", "SqlKeys"]

LEDGER: Final = Ledger(
    Path(__file__).parent / "migrations" / "versions", "virtreg_signing_version", "0001"
)

TROUBLE: Final = Trouble("the signing keys")

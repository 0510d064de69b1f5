"""The lines of migrations of the index's databases."""

from __future__ import annotations

from pathlib import Path

from virtreg.backends.sql.migrate import Ledger

_MIGRATIONS = Path(__file__).parent / "migrations"

INDEX = Ledger(_MIGRATIONS / "index" / "versions", "virtreg_index_version", "0003")
DOWNLOADS = Ledger(_MIGRATIONS / "downloads" / "versions", "virtreg_downloads_version", "0002")

"""Copying a SQLite database that is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from virtreg.backends.sql.faults import Trouble


def copy_database(file: Path, target: Path, trouble: Trouble) -> None:
    """Write the database of ``file`` to the new file ``target``, for its owner alone: as it is at
    one moment, while others read and write it (SQLite's backup, in one step). What is copied is on
    the disk on return. Raises what ``trouble`` says."""
    with trouble.told("copy"):
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

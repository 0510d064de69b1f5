"""Whether the machine's other accounts may read what only one should."""

from __future__ import annotations

import stat
from pathlib import Path
from shlex import quote
from typing import Final

_OPEN: Final = stat.S_IWGRP | stat.S_IRWXO


def is_open(mode: int) -> bool:
    """Whether others than the owner and the owner's group may do anything, or the group may write.
    The group may read: that is how backups, and files that are mounted, are often let be read."""
    return bool(mode & _OPEN)


def exposure(folder: Path) -> str | None:
    """One line that says that a folder is open, and how it is closed; None when it is closed, or
    cannot be asked."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return None
    if not is_open(mode):
        return None
    return (
        f"data folder {folder}: other accounts of this machine may read or change it "
        f"(mode {mode:04o}); run `chmod 700 {quote(str(folder))}`"
    )

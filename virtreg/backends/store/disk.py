"""The few steps that make a change to a local folder survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o700


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its missing parents, durably and for their owner alone; harmless when it
    exists, whoever may read it then.

    Raises OSError.
    """
    try:
        folder.mkdir(_PRIVATE)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_folder(folder.parent)
        folder.mkdir(_PRIVATE, exist_ok=True)
    sync_folder(folder.parent)


def publish(source: Path, target: Path) -> None:
    """Sync ``source``, renew its time and rename it to ``target``, durably.

    Both must be on one filesystem. Raises OSError.
    """
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.utime(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    make_folder(target.parent)
    source.replace(target)
    sync_folder(target.parent)

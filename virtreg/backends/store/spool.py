"""A folder for unfinished files that outlive nobody.

Each process has a folder of its own inside the shared spool folder, and holds a lock (flock) on
``<folder>.lock`` for as long as it lives. The kernel gives the lock back however the process ends,
so a lock that can be taken means its folder is litter. Process ids would not do: they are reused,
and mean nothing between containers that share a volume.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from threading import Lock

from virtreg.backends.store.disk import make_folder


class Spool:
    """The spool folders under ``root``; made on first use, once per process."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._own: tuple[int, Path, int] | None = None

    def folder(self) -> Path:
        """This process's folder. The first call sweeps what dead processes left. Raises OSError."""
        own = self._own
        if own is not None and own[0] == os.getpid():
            return own[1]
        with self._lock:
            own = self._own
            if own is None or own[0] != os.getpid():
                if own is not None:
                    # Inherited through fork: closing it here leaves the parent's lock alone.
                    os.close(own[2])
                make_folder(self._root)
                sweep(self._root)
                own = self._own = (os.getpid(), *_claim(self._root))
            return own[1]

    def close(self) -> None:
        """Give the folder up: what is left in it becomes litter."""
        with self._lock:
            if self._own is not None and self._own[0] == os.getpid():
                os.close(self._own[2])
            self._own = None

    def __del__(self) -> None:
        self.close()


def sweep(root: Path) -> int:
    """Remove what dead processes left under ``root``; how many files that were. Raises OSError."""
    removed = 0
    for lock in root.glob("*.lock"):
        descriptor = _take(lock)
        if descriptor is None:
            continue
        try:
            removed += _remove(lock.with_suffix(""))
            lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return removed


def _claim(root: Path) -> tuple[Path, int]:
    while True:
        lock = root / f"{os.getpid()}-{secrets.token_hex(8)}.lock"
        lock.touch(0o600, exist_ok=False)
        descriptor = _take(lock)
        # Between touch and flock a sweeping neighbour may have taken it for litter.
        if descriptor is not None:
            lock.with_suffix("").mkdir(0o700)
            return lock.with_suffix(""), descriptor


def _take(lock: Path) -> int | None:
    """Lock the file that is at ``lock`` now; None when another has it or it is gone."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == lock.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _remove(folder: Path) -> int:
    if not folder.exists():
        return 0
    files = list(folder.iterdir())
    for path in files:
        path.unlink(missing_ok=True)
    folder.rmdir()
    return len(files)

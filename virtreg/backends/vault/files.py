"""Private files: nobody else's to read, never seen half written."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace the file, or make it, with mode 0600: after a crash the old one is there or the new
    one. Raises OSError."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    with _folder(path.parent) as folder:
        os.fsync(folder)


@contextmanager
def alone_in(*folders: Path) -> Iterator[None]:
    """Keep others who write there waiting, threads and processes (flock). Raises OSError.

    Folders may be the same one; whoever names several takes them in the same order as all others.
    The kernel gives the locks back however the process ends.
    """
    with ExitStack() as held:
        # Of two descriptors of one folder the second would wait for the first.
        opened = {_identity(fd): fd for fd in [held.enter_context(_folder(f)) for f in folders]}
        for _, descriptor in sorted(opened.items()):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino

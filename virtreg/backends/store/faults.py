"""Storage trouble, told in our own error tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from virtreg.core.layout import LONGEST_NOTE, is_note, sha256_of
from virtreg.errors import StorageError


def require_key(key: str) -> None:
    """Raises StorageError for a key that :mod:`virtreg.core.layout` cannot have made."""
    if sha256_of(key) is None:
        raise StorageError(f"not a blob key: {key!r}")


def require_note(name: str) -> None:
    """Raises StorageError for a name that no note can have."""
    if not is_note(name):
        raise StorageError(f"not the name of a note: {name!r}")


def require_short(name: str, size: int) -> None:
    """Raises StorageError for a note that is longer than any of ours."""
    if size > LONGEST_NOTE:
        raise StorageError(f"cannot read {name}: it has {size} bytes, more than a note may have")


@contextmanager
def disk_errors(action: str) -> Iterator[None]:
    """Turn an OSError into StorageError ``cannot <action>: <reason>``."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot {action}: {error.strerror or type(error).__name__}") from error

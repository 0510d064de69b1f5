"""Reading the first bytes of a body, while it can still be told that there are none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from virtreg.errors import Missing, StorageError, StoreUnavailable


@contextmanager
def reading() -> Iterator[None]:
    """Turns the StorageError of a body that cannot be read into StoreUnavailable; one that is
    Missing after all stays so."""
    try:
        yield
    except Missing:
        raise
    except StorageError as error:
        raise StoreUnavailable(error.message, retry_after=error.retry_after) from error

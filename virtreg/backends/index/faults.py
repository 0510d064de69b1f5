"""Database trouble, told in our own error tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from virtreg.errors import IndexUnavailable, InvalidRequest, VirtregError

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, UnicodeEncodeError)
"""What drivers and SQLAlchemy raise, the latter for text with lone surrogates."""


def translated(error: BaseException, action: str) -> VirtregError:
    """The error to raise instead: it names the kind, never a statement or its parameters."""
    if isinstance(error, UnicodeEncodeError):
        return InvalidRequest(f"cannot {action} the index: not Unicode text")
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    kind = getattr(cause, "sqlite_errorname", type(cause).__name__)
    return IndexUnavailable(f"cannot {action} the index: {kind}")


@contextmanager
def database_errors(action: str) -> Iterator[None]:
    """Turn what a database raises into IndexUnavailable ``cannot <action> the index: <kind>``."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise translated(error, action) from error

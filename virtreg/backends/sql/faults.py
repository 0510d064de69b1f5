"""Database trouble, told in our own error tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import frozen
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from virtreg.errors import InvalidRequest, StorageError, VirtregError

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, UnicodeEncodeError)
"""What drivers and SQLAlchemy raise, the latter for text with lone surrogates."""


@frozen
class Trouble:
    """How the trouble of one database is told."""

    name: str
    """What messages call the database, as in ``the index``."""
    error: type[StorageError] = StorageError
    """Raised when it cannot be asked."""

    def translated(self, error: BaseException, action: str) -> VirtregError:
        """The error to raise instead: it names the kind, never a statement or its parameters."""
        if isinstance(error, UnicodeEncodeError):
            return InvalidRequest(f"cannot {action} {self.name}: not Unicode text")
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        kind = getattr(cause, "sqlite_errorname", type(cause).__name__)
        return self.error(f"cannot {action} {self.name}: {kind}")

    @contextmanager
    def told(self, action: str) -> Iterator[None]:
        """Turn what a database raises into :attr:`error`, ``cannot <action> <name>: <kind>``, or
        into InvalidRequest for text that is not Unicode."""
        try:
            yield
        except DATABASE_ERRORS as error:
            raise self.translated(error, action) from error

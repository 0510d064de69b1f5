"""Database trouble, told in our own error tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import frozen
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as QueueTimeout

from virtreg.errors import InvalidRequest, StorageError, VirtregError

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, UnicodeEncodeError)
"""What drivers and SQLAlchemy raise, the latter for text with lone surrogates."""

BUSY_SECONDS = 1.0
"""When it is worth trying again where others use all there is."""


@frozen
class Trouble:
    """How the trouble of one database is told."""

    name: str
    """What messages call the database, as in ``the index``."""
    error: type[StorageError] = StorageError
    """Raised when it cannot be asked."""

    def translated(self, error: BaseException, action: str) -> VirtregError:
        """The error to raise instead: it names the kind, never a statement or its parameters."""
        cause = original(error)
        if isinstance(cause, UnicodeEncodeError):
            return InvalidRequest(f"cannot {action} {self.name}: not Unicode text")
        if isinstance(cause, InvalidRequest):
            return InvalidRequest(f"cannot {action} {self.name}: {cause.message}")
        if isinstance(cause, QueueTimeout):
            return self.failed(action, "too many ask at once", BUSY_SECONDS)
        return self.failed(action, getattr(cause, "sqlite_errorname", type(cause).__name__))

    def failed(
        self, action: str, why: str, retry_after: float | None = None, *, detail: str = ""
    ) -> StorageError:
        message = f"cannot {action} {self.name}: {why}"
        return self.error(message, retry_after=retry_after, detail=detail)

    @contextmanager
    def told(self, action: str) -> Iterator[None]:
        """Turn what a database raises into :attr:`error`, ``cannot <action> <name>: <kind>``, or
        into InvalidRequest for text that is not Unicode."""
        try:
            yield
        except DATABASE_ERRORS as error:
            raise self.translated(error, action) from error


def original(error: BaseException) -> BaseException:
    """What a driver raised, without what SQLAlchemy wraps around it."""
    if isinstance(error, StatementError) and error.orig is not None:
        return error.orig
    return error

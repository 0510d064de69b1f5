"""One database as each process has it open."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

from virtreg.backends.sql.faults import Trouble

T = TypeVar("T")


class Database(ABC):
    """Opened on first use in each process: connections never cross a fork.

    Safe from any thread. Trouble is raised as ``trouble`` tells it: its StorageError, with
    ``retry_after`` where waiting may help, and InvalidRequest for text that is not Unicode or has a
    NUL character.
    """

    trouble: Trouble

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """What statements are compiled for; those of ``rows`` with :attr:`rows_dialect`."""

    @property
    @abstractmethod
    def rows_dialect(self) -> Dialect:
        """Parameters are told by their place."""

    @abstractmethod
    def rows(self, text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run one SELECT on the driver's own cursor."""

    @abstractmethod
    def reading(self, *, long: bool = False) -> AbstractContextManager[Connection]:
        """A connection in a transaction that only reads, and sees one state of everything.
        ``long``: it may take minutes."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that writes: all of it or nothing. Only where writers are
        one at a time it may decide by what it read; else see ``write``."""

    @abstractmethod
    def write(
        self,
        work: Callable[[Connection], T],
        *,
        stable: bool = False,
        hurried: bool = False,
        long: bool = False,
    ) -> T:
        """Run ``work`` in a transaction that writes, and again when others were in its way.

        ``stable``: what it reads stays as it is until the end. ``hurried``: it may be lost if the
        database's machine dies within the second; whole transactions only. ``long``: it may take
        minutes.
        """

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """As ``writing``, for changes of the schema: one at a time for all ledgers."""

    def settle(self) -> None:  # noqa: B027 - nothing is to be done where the server does it
        """Let writers pay now for what was written, and not those who come later."""

    def forget(self) -> None:  # noqa: B027 - as above
        """Let go of what was overwritten, as far as the database lets us."""

    @abstractmethod
    def close(self) -> None:
        """Close this process's connections; repeatable. What is under way may still end."""

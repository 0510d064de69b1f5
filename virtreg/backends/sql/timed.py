"""A connection to PostgreSQL that no silence of the server holds up for ever."""

from __future__ import annotations

import math
import os
from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class Unreachable(psycopg.OperationalError):
    """No connection could be made."""


class NoAnswer(psycopg.OperationalError):
    """The server was silent for too long; the connection is closed."""


class Cut(psycopg.OperationalError):
    """The connection broke amid a call."""


class TimedConnection(psycopg.Connection[Any]):
    """Ends every wait in time. The server is asked to keep limits of its own, and does not while it
    is stopped or the network between is; a socket's keep-alive takes minutes to notice.

    Used by one thread at a time.
    """

    _answer = math.inf
    _ends = math.inf

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._process = os.getpid()

    def __del__(self, *_: Any) -> None:
        # A child leaves its parent's connections as they are.
        if self._process == os.getpid():
            super().__del__()

    def allow(self, answer: float, total: float) -> None:
        """From now on one wait may take ``answer`` seconds, and all together ``total``."""
        self._answer = answer
        self._ends = monotonic() + total

    # Every call that waits for the server ends up here.
    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        return super().wait(self._bounded(gen), *args, **kwargs)

    def _bounded(self, gen: PQGen[T]) -> PQGen[T]:
        ends = min(monotonic() + self._answer, self._ends)
        try:
            wanted = next(gen)
            while True:
                # Woken when the socket is ready, and ten times a second besides.
                ready = yield wanted
                wanted = gen.send(ready)
                if monotonic() >= ends:
                    self._give_up(gen)
        except StopIteration as end:
            value: T = end.value
            return value

    def _give_up(self, gen: Generator[Any, Any, Any]) -> None:
        gen.close()
        # Not politely: that would wait as well. What comes late must not be taken for the answer
        # to the next question.
        self.pgconn.finish()
        raise NoAnswer("no answer in time")

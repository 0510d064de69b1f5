"""Answering a request within its turn, which lasts as long as its body is being sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from virtreg.service.turns import Turn
from virtreg.wsgi.transfer import Transfer

T = TypeVar("T")


class Lasting:
    """A transfer whose end is the end of its request's turn; ended by the server's ``close`` in any
    case (PEP 3333), also when the client has gone."""

    def __init__(self, sent: Transfer, turn: Turn) -> None:
        self._sent = sent
        self._turn = turn

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._sent)
        except BaseException:
            self._turn.end()
            raise

    def close(self) -> None:
        try:
            self._sent.close()
        finally:
            self._turn.end()


def within(turn: Turn, answer: Callable[[], T]) -> T | Lasting:
    """What ``answer`` returns, with ``turn`` as that of its context. Raises what it raises."""
    try:
        with turn.running():
            sent = answer()
    except BaseException:
        turn.end()
        raise
    if isinstance(sent, Transfer):
        return Lasting(sent, turn)
    turn.end()
    return sent

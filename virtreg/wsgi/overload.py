"""Answering a request within its turn, which lasts as long as its body is being sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from attrs import field, frozen

from virtreg.service.turns import THREADS, Turn, Turns
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.transfer import Transfer

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

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


@frozen(eq=False)
class Taking:
    """Gives each request its turn, by where it comes from. Thread-safe."""

    turns: Turns = field(factory=lambda: Turns(THREADS))
    addresses: Addresses = field(factory=Addresses)

    def turn(self, environ: WSGIEnvironment) -> Turn:
        """Of a request that begins."""
        return self.turns.turn(self.addresses.of(environ))


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

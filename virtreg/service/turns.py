"""How many requests may be slow at the same time, so that all others stay fast.

Every request is answered on a thread of its own, and there are so many. One that waits for an
upstream, or sends something large to a slow client, holds its thread for long: it needs a place, of
which there are fewer than threads. What is answered from the cache at once needs none.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from virtreg.errors import Overloaded

PATIENCE: Final = 1.0
"""Seconds for which a request waits for a place to wait in."""

THREADS: Final = 256
"""Where nobody says how many there are."""

_RETRY_AFTER: Final = 5.0

_turn: Final[ContextVar[Turn | None]] = ContextVar("virtreg_turn", default=None)


class Places:
    """``limit`` at once, and ``share`` of them, three quarters, for one address: whoever reads
    slowly, for ever if they like, keeps nobody else out. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.share = limit - limit // 4
        self.taken = 0
        self._taken_by: Counter[str] = Counter()
        self._free = threading.Condition(threading.Lock())

    def take(self, patience: float = 0.0, address: str = "") -> bool:
        """Whether there was one more, or came to be within ``patience`` seconds. An ``address``
        that nobody knows is empty, and has no share."""
        with self._free:
            if not self._free.wait_for(lambda: self._has_one(address), patience):
                return False
            self.taken += 1
            if address:
                self._taken_by[address] += 1
            return True

    def give_back(self, address: str = "") -> None:
        with self._free:
            self.taken -= 1
            if address:
                self._taken_by[address] -= 1
                if not self._taken_by[address]:
                    del self._taken_by[address]
            # Whoever waits longest may have had their share.
            self._free.notify_all()

    def _has_one(self, address: str) -> bool:
        return self.taken < self.limit and not (
            address and self._taken_by.get(address, 0) >= self.share
        )


class Turns:
    """Of one process with so many threads. ``misses`` bounds the requests that wait for upstreams;
    None is three quarters of the threads. Together with those that send what is large they leave an
    eighth of the threads to all others, or what ``misses`` leaves. Thread-safe."""

    def __init__(
        self, threads: int, misses: int | None = None, *, patience: float = PATIENCE
    ) -> None:
        self.misses = Places(max(1, threads * 3 // 4) if misses is None else misses)
        self.slow = Places(max(threads - threads // 8, self.misses.limit))
        self._patience = patience

    def check(self) -> None:
        """Raises Overloaded while whoever has to wait for an upstream is refused."""
        if self.misses.taken >= self.misses.limit or self.slow.taken >= self.slow.limit:
            raise _overloaded("wait for upstreams", self.misses)

    def turn(self, address: str = "") -> Turn:
        """Of a request that begins; ``address`` is where it comes from, as limits tell callers
        apart, and empty where nobody knows."""
        return Turn(self.misses, self.slow, self._patience, address)


class Turn:
    """The places that one request holds: none to begin with. ``end`` it in any case. Thread-safe,
    since upstreams on this server are asked on threads of their own."""

    def __init__(self, misses: Places, slow: Places, patience: float, address: str = "") -> None:
        self._misses = misses
        self._slow = slow
        self._patience = patience
        self._address = address
        self._lock = threading.Lock()
        self._held: tuple[Places, ...] = ()

    def wait(self) -> None:
        """It is going to wait for an upstream; all the same how often it says so. Raises
        Overloaded."""
        with self._lock:
            if self._misses in self._held:
                return
            self._send()
            if not self._misses.take(self._patience, self._address):
                raise _overloaded("wait for upstreams", self._misses)
            self._held = (*self._held, self._misses)

    def send(self) -> None:
        """It is going to send something large; all the same how often it says so. Raises
        Overloaded."""
        with self._lock:
            self._send()

    def end(self) -> None:
        """Give back what is held; repeatable."""
        with self._lock:
            held, self._held = self._held, ()
        for places in held:
            places.give_back(self._address)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within, :func:`wait_turn` is about this turn."""
        before = _turn.set(self)
        try:
            yield
        finally:
            _turn.reset(before)

    def _send(self) -> None:
        if self._slow in self._held:
            return
        if not self._slow.take(address=self._address):
            raise _overloaded("are being answered slowly", self._slow)
        self._held = (*self._held, self._slow)


def wait_turn() -> None:
    """The request of this context is about to wait for an upstream; nothing where there is none, as
    for what is fetched in the background. Raises Overloaded."""
    turn = _turn.get()
    if turn is not None:
        turn.wait()


def send_turn() -> None:
    """The request of this context is about to send something large. Raises Overloaded."""
    turn = _turn.get()
    if turn is not None:
        turn.send()


def _overloaded(what: str, places: Places) -> Overloaded:
    most = f"{places.limit} requests {what} already, as many as may at a time"
    if places.taken < places.limit:
        most = f"{places.share} requests from one address {what} already, as many as may at a time"
    return Overloaded(most, retry_after=_RETRY_AFTER)

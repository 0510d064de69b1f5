"""One flight per key: whoever asks first does the work, everybody else waits for its answer.

A flight stays in the air after it has answered, until what it brought can be found in the index;
so a key is never worked on twice at the same time, and nobody falls between the two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Watches(Protocol[T_contra]):
    """What is told how a flight goes. Neither call may raise."""

    def answered(self, result: T_contra) -> None:
        """The waiters of this process have been let go; the flight may have landed before."""
        ...

    def landed(self) -> None:
        """The flight is about to end; may be told more than once."""
        ...


class Flight(Generic[T]):
    """What the leader holds: ``answer`` lets the waiters go, ``land`` ends the flight."""

    def __init__(self, land: Callable[[Flight[T]], None]) -> None:
        self._future: Future[T] = Future()
        self._gone = land
        self._watching: tuple[Watches[T], ...] = ()

    def watch(self, watching: Watches[T]) -> None:
        """Tell it how this flight goes from now on; before there is an answer."""
        self._watching = (*self._watching, watching)

    def answer(self, result: T) -> None:
        self._future.set_result(result)
        for each in self._watching:
            each.answered(result)

    @property
    def answered(self) -> bool:
        return self._future.done()

    def fail(self, error: BaseException) -> None:
        """Answer with an error, and land: a failure leaves nothing to wait for."""
        self._future.set_exception(error)
        self.land()

    def land(self) -> None:
        for each in self._watching:
            each.landed()
        self._gone(self)

    def wait(self) -> T:
        return self._future.result()


class Flights(Generic[T]):
    """The flights in the air, by key. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: dict[Hashable, Flight[T]] = {}

    def join(self, key: Hashable, lead: Callable[[Flight[T]], None]) -> tuple[T, bool]:
        """The flight's answer, and whether this caller led it. ``lead`` runs on the first
        caller's thread, must answer, fail or raise, and sees to it that the flight lands; raising
        fails the flight. Raises what the flight failed with."""
        with self._lock:
            flight = self._flying.get(key)
            leading = flight is None
            if flight is None:
                flight = self._flying[key] = Flight(partial(self._landed, key))
        if leading:
            try:
                lead(flight)
            except BaseException as error:
                if flight.answered:
                    flight.land()
                else:
                    flight.fail(error)
                raise
        return flight.wait(), leading

    def __contains__(self, key: Hashable) -> bool:
        return key in self._flying

    def __len__(self) -> int:
        return len(self._flying)

    def _landed(self, key: Hashable, flight: Flight[T]) -> None:
        with self._lock:
            # The next flight of the key may have begun: landing twice is no harm to it.
            if self._flying.get(key) is flight:
                del self._flying[key]

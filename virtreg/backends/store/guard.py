"""Whether a service far away is worth asking, and its trouble in our own error tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from virtreg.backends.store.trouble import is_absent, is_no_such_part, said_of
from virtreg.core.breaker import Breaker
from virtreg.errors import StorageError

_THRESHOLD: Final = 3
"""Failures in a row after which nobody asks for a while."""

_COOLDOWN: Final = 2.0
_LONGEST_COOLDOWN: Final = 15.0


class Guard:
    """Of one service. Thread-safe. ``clock`` gives seconds and never runs backwards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._breaker = Breaker(_THRESHOLD, _COOLDOWN, _LONGEST_COOLDOWN)

    def available(self) -> bool:
        """Whether the next to ask would be let."""
        with self._lock:
            return self._breaker.blocked_until(self._clock()) is None

    @contextmanager
    def asking(self, action: str) -> Iterator[None]:
        """Around one exchange. Raises StorageError ``cannot <action>: ...``, at once with
        ``retry_after`` where earlier ones have failed; lets pass that one object is absent, or
        shorter than what was asked for, which is an answer.

        Only the kind of error is told: what remote services say may hold signed URLs.
        """
        self._admit(action)
        try:
            yield
        except StorageError:
            self._withdrawn()
            raise
        except Exception as error:
            if is_absent(error) or is_no_such_part(error):
                self._succeeded()
                raise
            self._failed()
            raise StorageError(f"cannot {action}: {said_of(error)}") from error
        except BaseException:
            self._withdrawn()
            raise
        self._succeeded()

    @contextmanager
    def reading(self, action: str) -> Iterator[None]:
        """Around the rest of an exchange that was asked for already: its failures count, and are
        told in the same way."""
        try:
            yield
        except Exception as error:
            if is_absent(error):
                raise
            self._failed()
            raise StorageError(f"cannot {action}: {said_of(error)}") from error

    def require(self, action: str) -> None:
        """Raises StorageError as ``asking`` does where nobody asks for now."""
        with self._lock:
            now = self._clock()
            until = self._breaker.blocked_until(now)
        if until is not None:
            raise _unavailable(action, until - now)

    def _admit(self, action: str) -> None:
        with self._lock:
            now = self._clock()
            if self._breaker.admit(now):
                return
            until = self._breaker.blocked_until(now) or now
        raise _unavailable(action, until - now)

    def _succeeded(self) -> None:
        with self._lock:
            self._breaker.succeeded(self._clock())

    def _failed(self) -> None:
        with self._lock:
            self._breaker.failed(self._clock())

    def _withdrawn(self) -> None:
        with self._lock:
            self._breaker.withdrawn()


def _unavailable(action: str, seconds: float) -> StorageError:
    return StorageError(
        f"cannot {action}: the store has not answered lately", retry_after=max(seconds, 1.0)
    )

"""Slow checks, few at a time, with a bound on how many wait for their turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Semaphore
from typing import ClassVar

from virtreg.errors import VirtregError
from virtreg.model import Principal


class TooManySignIns(VirtregError):
    """More different credentials wait to be checked than are let wait."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "too_many_sign_ins"


class Hashing:
    """Whoever brings the same credentials meanwhile waits for the same check. Thread-safe.

    Without the bound a few wrong passwords a second would hold every thread of a server.
    ``at_once``: how many are checked at a time, for checks that wait and do not compute.
    """

    def __init__(self, most: int, at_once: int = 1) -> None:
        self._most = most
        self._lock = Lock()
        self._turn = Semaphore(at_once)
        self._waiting: dict[bytes, Future[Principal]] = {}

    def run(self, fingerprint: bytes, check: Callable[[], Principal]) -> Principal:
        """What ``check`` returns or raises. Raises TooManySignIns without calling it."""
        with self._lock:
            found = self._waiting.get(fingerprint)
            if found is None:
                if len(self._waiting) >= self._most:
                    raise TooManySignIns("too many sign-ins at once", retry_after=1)
                mine = self._waiting[fingerprint] = Future[Principal]()
        if found is not None:
            return found.result()
        try:
            with self._turn:
                mine.set_result(check())
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._waiting[fingerprint]
        return mine.result()

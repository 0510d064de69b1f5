"""How long what was learnt from a directory is good."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from threading import Lock
from typing import Final

from virtreg.errors import StorageError
from virtreg.protocols import Directory

_log = logging.getLogger(__name__)

GRACE: Final = 300.0
"""Seconds for which what was learnt counts on while the directory cannot be asked."""

_LONGEST_WAIT: Final = 0.05
"""Seconds that a request waits for the one that asks: much longer than a sound directory takes."""


class Revisions:
    """Asks a directory at most every ``every`` seconds whether it has changed, and calls ``forget``
    when it has. While it cannot be asked, what was learnt before is good until :data:`GRACE`
    seconds after it last could. Thread-safe; nobody waits for a directory that does not answer but
    the one who asks it."""

    def __init__(self, directory: Directory, every: float, forget: Callable[[], None]) -> None:
        self._directory = directory
        self._every = every
        self._forget = forget
        self._asking = Lock()
        self._revision: int | None = None
        self._asked_at = -math.inf
        self._answered_at = -math.inf

    def follow(self, now: float) -> None:
        """Return when what was learnt may be believed. Raises what the directory raises, when it
        has not been reached for too long."""
        if -self._every < now - self._asked_at < self._every:
            return
        if not self._asking.acquire(timeout=_LONGEST_WAIT if self._in_grace(now) else -1):
            return
        try:
            if not -self._every < now - self._asked_at < self._every:
                self._ask(now)
        finally:
            self._asking.release()

    def _ask(self, now: float) -> None:
        try:
            revision = self._directory.revision()
        except StorageError as error:
            if not self._in_grace(now):
                raise
            if self._asked_at <= self._answered_at:
                _log.warning("what is known of users and tokens is believed: %s", error.message)
            self._asked_at = now
            return
        # A clock that was set back: what had expired may be good again.
        if revision != self._revision or now < self._asked_at:
            self._forget()
        self._revision = revision
        self._asked_at = self._answered_at = now

    def _in_grace(self, now: float) -> bool:
        return 0 <= now - self._answered_at < GRACE

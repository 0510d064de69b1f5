"""Whether two passwords are the same, told so seldom that none can be guessed."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from threading import Lock
from typing import ClassVar, Final

from virtreg.core.ratelimit import Buckets, Rate
from virtreg.errors import VirtregError
from virtreg.model import Secret

WRONG: Final = Rate(30, 3600.0)
"""Of one upstream. As many may be there with one URL and user name, each with its own password."""


class TooManyGuesses(VirtregError):
    """So many wrong passwords that nothing is said any more, not even of the right one (RFC 6585,
    4)."""

    status: ClassVar[int] = 429
    code: ClassVar[str] = "too_many_guesses"


class Guesses:
    """Of one process. Thread-safe. ``clock`` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong = Buckets(WRONG)
        self._lock = Lock()

    def same(self, upstream_id: int, kept: Secret | None, tried: Secret | None) -> bool:
        """Whether what was tried is the password that is kept of an upstream; in a time that does
        not tell how much of it is right. Raises TooManyGuesses."""
        if kept is None or tried is None:
            return kept is tried
        key = str(upstream_id)
        with self._lock:
            wait = self._wrong.wait(key, self._clock())
            if wait:
                raise TooManyGuesses(
                    f"password: too many others than that of upstream {upstream_id} were tried",
                    retry_after=wait,
                )
            same = equal(kept, tried)
            if not same:
                self._wrong.spend(key, self._clock())
        return same


def equal(one: Secret | None, other: Secret | None) -> bool:
    if one is None or other is None:
        return one is other
    return hmac.compare_digest(one.reveal().encode(), other.reveal().encode())

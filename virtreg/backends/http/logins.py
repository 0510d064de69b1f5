"""The login of the moment, kept until it ends or is refused."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable

from attrs import frozen

from virtreg.errors import UpstreamUnavailable, VirtregError
from virtreg.model import Login
from virtreg.protocols import CredentialProvider

_MARGIN = 300.0
_MARGIN_OF_LIFE = 0.2
_FAILURE_LASTS = 10.0
_BETWEEN_RENEWALS = 60.0


@frozen
class Held:
    """A login and which one it is: another login has another version."""

    login: Login
    version: int


class Logins:
    """Asks a provider no more often than it must. Thread-safe.

    A login is kept until five minutes before its end, or a fifth of its life if that is less; a
    failure for ten seconds, so that those who wait for a slow one do not all wait in turn.
    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self, provider: CredentialProvider, upstream: str, clock: Callable[[], float]
    ) -> None:
        self._provider = provider
        self._upstream = upstream
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Held | None = None
        self._good_until: float | None = None
        self._failure: tuple[float, VirtregError] | None = None
        self._renewable_at = float("-inf")

    def current(self) -> Held:
        """The login to use now. Raises UpstreamUnavailable when there is none."""
        with self._lock:
            return self._current()

    def renew(self, refused: Held) -> Held | None:
        """Another login than the refused one, if the provider has one by now.

        A refusal makes the provider be asked at most once a minute: registries refuse good logins
        as well, for what they do not reach.
        """
        with self._lock:
            if self._held is refused:
                now = self._clock()
                if now < self._renewable_at:
                    return None
                self._renewable_at = now + _BETWEEN_RENEWALS
                self._good_until = now
            held = self._current()
            return None if held.version == refused.version else held

    def _current(self) -> Held:
        now = self._clock()
        if self._held is not None and (self._good_until is None or now < self._good_until):
            return self._held
        if self._failure is not None and now < self._failure[0]:
            raise copy.copy(self._failure[1])
        try:
            login = self._provider.login()
            if login.expires_at is not None and login.expires_at <= now:
                name = self._upstream
                raise UpstreamUnavailable(
                    f"upstream {name!r}: the login that was given has ended", upstream=name
                )
        except VirtregError as error:
            self._failure = (self._clock() + _FAILURE_LASTS, error)
            raise
        self._failure = None
        self._good_until = None
        if login.expires_at is not None:
            margin = min(_MARGIN, _MARGIN_OF_LIFE * (login.expires_at - now))
            self._good_until = login.expires_at - margin
        before = self._held
        if before is None or (login.username, login.password) != (
            before.login.username,
            before.login.password,
        ):
            self._held = Held(login, 1 if before is None else before.version + 1)
        assert self._held is not None
        return self._held

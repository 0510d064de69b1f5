"""The keys of an issuer, held and renewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from types import MappingProxyType
from typing import Final

from attrs import frozen
from jwt import PyJWK

from virtreg.backends.auth.oidc.keys import KeyName
from virtreg.backends.auth.unavailable import SignInUnavailable

_FRESH: Final = 3600.0
_LONGEST: Final = 86_400.0
_BETWEEN: Final = 60.0
_BETWEEN_WITHOUT: Final = 5.0

Keys = Mapping[KeyName, PyJWK]


@frozen(eq=False)
class _Held:
    keys: Keys
    fetched_at: float


class KeyRing:
    """Holds what ``fetch`` gave. Thread-safe; one thread fetches at a time.

    Keys are fetched again after an hour, and for a name that is not among them: at most once a
    minute, so that made-up names cost the issuer nothing. While the issuer cannot be asked, its
    keys stay good for a day. ``clock`` gives seconds that never run backwards.
    """

    def __init__(self, fetch: Callable[[], Keys], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._held: _Held | None = None
        self._tried_at = float("-inf")

    def current(self) -> Keys:
        """The keys that are good now; the same object as long as nothing was fetched. Raises
        SignInUnavailable when there are none."""
        held = self._held
        now = self._clock()
        if held is not None and now < held.fetched_at + _FRESH:
            return held.keys
        # While one thread asks, others go on with what is held.
        if self._lock.acquire(blocking=held is None or now >= held.fetched_at + _LONGEST):
            try:
                self._renew(held)
            finally:
                self._lock.release()
        return self._good()

    def current_with(self, name: KeyName) -> Keys:
        """As ``current``, asked for again if this name is not among them, which it may not be even
        so."""
        keys = self.current()
        if name in keys:
            return keys
        held = self._held
        with self._lock:
            self._renew(held)
        return self._good()

    def _renew(self, seen: _Held | None) -> None:
        """Fetch, unless somebody did since ``seen``, or it is too early."""
        now = self._clock()
        if self._held is not seen:
            return
        if now < self._tried_at + (_BETWEEN_WITHOUT if seen is None else _BETWEEN):
            return
        try:
            fetched = self._fetch()
        except SignInUnavailable:
            if seen is None or now >= seen.fetched_at + _LONGEST:
                raise
            return
        finally:
            self._tried_at = self._clock()  # who waited meanwhile does not ask at once
        self._held = _Held(MappingProxyType(dict(fetched)), now)

    def _good(self) -> Keys:
        held = self._held
        if held is None or self._clock() >= held.fetched_at + _LONGEST:
            raise SignInUnavailable("the issuer's keys cannot be had", retry_after=_BETWEEN_WITHOUT)
        return held.keys

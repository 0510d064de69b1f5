"""HTTP Basic (RFC 7617) against whoever knows the passwords: a directory server, a framework."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import frozen

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.hashing import Hashing
from virtreg.backends.auth.pulling import need_pull
from virtreg.backends.auth.schemes import parse_basic
from virtreg.backends.auth.strangers import strangers_may
from virtreg.backends.auth.verified import Verified
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope

_MOST_WAITING: Final = 32
_AT_ONCE: Final = 8
_LONGEST: Final = 1024
_PRINTABLE: Final = re.compile(r"[^:\x00-\x1f\x7f-\x9f]{1,255}")


@frozen
class _Known:
    principal: Principal
    until: float


class PasswordAuthenticator:
    """Admits whom ``check(user name, password)`` knows, to pull from every registry, and strangers
    to pull from public ones. Thread-safe.

    ``managing``: also to manage registries, all of them; for use in
    :class:`~virtreg.backends.auth.members.Members`, which goes by their roles. Otherwise they may
    pull and nothing else.

    ``check`` returns the one name that the user goes by, however it was typed, and None for an
    unknown user or a wrong password. It is called from several threads, eight at most; it raises
    :class:`~virtreg.backends.auth.unavailable.SignInUnavailable` when it cannot tell. It is never
    called with an empty password, which some directory servers take for no sign-in at all and
    accept (RFC 4513, 5.1.2), nor with a name that has control characters.

    A right password is good for ``seconds`` without another check, for up to ``remembered`` users:
    that long a changed password or a removed user stays in. Nothing remembered can be turned back
    into a password. Wrong ones are checked each time; only so many different ones may wait. Where
    strangers may pull nothing is checked: who is not remembered is a stranger, whatever they show.
    ``clock`` gives seconds that never run backwards.
    """

    def __init__(
        self,
        check: Callable[[str, str], str | None],
        *,
        seconds: float = 300,
        remembered: int = 1024,
        clock: Callable[[], float] = time.monotonic,
        managing: bool = False,
    ) -> None:
        self._check = check
        self._managing = managing
        self._seconds = seconds
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._verified = Verified[_Known](remembered)
        self._checking = Hashing(_MOST_WAITING, _AT_ONCE)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated when the header is absent, malformed or not right, TooManySignIns
        while too many others wait to be checked, and what ``check`` raises; nothing of it where
        strangers may pull."""
        need_pull(scope, managing=self._managing)
        if strangers_may(scope):
            with suppress(Unauthenticated):
                return self._remembered(self._fingerprint(*_shown(credentials))) or ANONYMOUS
            return ANONYMOUS
        name, password = _shown(credentials)
        fingerprint = self._fingerprint(name, password)
        principal = self._remembered(fingerprint)
        if principal is not None:
            return principal
        return self._checking.run(fingerprint, lambda: self._sign_in(fingerprint, name, password))

    def _fingerprint(self, name: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{name}:{password}".encode(), hashlib.sha256)

    def _remembered(self, fingerprint: bytes) -> Principal | None:
        known = self._verified.get(fingerprint)
        return known.principal if known is not None and self._clock() < known.until else None

    def _sign_in(self, fingerprint: bytes, name: str, password: str) -> Principal:
        until = self._clock() + self._seconds
        user = self._check(name, password)
        if not user:
            raise Unauthenticated("unknown user or wrong password")
        principal = Principal(user)
        self._verified.add(fingerprint, _Known(principal, until))
        return principal


def _shown(credentials: Credentials) -> tuple[str, str]:
    """User name and password, if they can be right at all."""
    if credentials.authorization is None:
        raise Unauthenticated("a user name and a password are needed")
    name, password = parse_basic(credentials.authorization)
    if not _PRINTABLE.fullmatch(name) or not 0 < len(password) <= _LONGEST:
        raise Unauthenticated("unknown user or wrong password")
    return name, password

"""Making grants, and knowing them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from virtreg.backends.auth.grants.claims import (
    access_claim,
    common_claims,
    read_grant,
    read_principal,
)
from virtreg.backends.auth.grants.granted import (
    MOST_SECONDS,
    REFRESH_SECONDS,
    Granted,
    Issued,
)
from virtreg.backends.auth.grants.keys import Keys
from virtreg.backends.auth.grants.remembered import Remembered
from virtreg.backends.auth.grants.webtokens import Kind, WebTokens, invalid, is_ours
from virtreg.errors import ConfigError
from virtreg.model import Principal

_LEAST_SECONDS: Final = 60


class Grants:
    """Grants of one service, good for ``seconds``. Thread-safe.

    ``service`` is the name that challenges tell clients; grants of another one are not known.
    Raises ConfigError when it is empty, when the seconds are more than a day, or fewer than 60:
    some clients take shorter lives for 60 and would show grants that are over. Grants that were
    verified are remembered until they or the key that signed them end, up to ``remembered`` of
    them.
    """

    def __init__(
        self,
        keys: Keys,
        service: str,
        clock: Callable[[], float] = time.time,
        seconds: int = 300,
        *,
        remembered: int = 4096,
    ) -> None:
        if not service:
            raise ConfigError("the service that grants are for has no name")
        if not _LEAST_SECONDS <= seconds <= MOST_SECONDS:
            raise ConfigError(
                f"grants must last {_LEAST_SECONDS} to {MOST_SECONDS} seconds, not {seconds}"
            )
        self._tokens = WebTokens(keys, service)
        self._clock = clock
        self._seconds = seconds
        self._remembered = Remembered(remembered)

    def issue(self, principal: Principal, access: Iterable[tuple[str, str]]) -> Issued:
        """A grant to pull from these pairs of registry and repository; none at all is the proof of
        a login alone. Raises InvalidRequest when they are too many for one header."""
        issued_at = int(self._clock())
        claims = common_claims(principal, issued_at, self._seconds)
        claims["access"] = access_claim(frozenset(access))
        return Issued(self._tokens.sign(Kind.GRANT, claims), self._seconds, issued_at)

    def verify(self, text: str) -> Granted:
        """What the grant says. Raises Unauthenticated with the reason ``invalid_token``, and
        nothing else whatever the text."""
        now = self._clock()
        granted = self._remembered.get(text, now)
        # A key that is taken away takes with it what it signed, remembered or not.
        if granted is None or not self._tokens.knows(granted.kid):
            kid, claims = self._tokens.verify(Kind.GRANT, text, now)
            try:
                granted = read_grant(kid, claims)
            except ValueError:
                raise invalid("the token is not one of this service") from None
            self._remembered.add(text, granted)
        return granted

    def recognizes(self, text: str) -> bool:
        """Whether the text says to be a token of this kind of service, good or not; bearer tokens
        that do not are for somebody else to judge."""
        return text in self._remembered or is_ours(text)

    def refresh(self, principal: Principal) -> str:
        """A refresh token, good for thirty days. It says who somebody is and nothing of what they
        may do: that is decided anew each time."""
        claims = common_claims(principal, int(self._clock()), REFRESH_SECONDS)
        return self._tokens.sign(Kind.REFRESH, claims)

    def redeem(self, text: str) -> Principal:
        """Who a refresh token was made for, whether they are still good or not. Raises
        Unauthenticated as ``verify`` does."""
        _, claims = self._tokens.verify(Kind.REFRESH, text, self._clock())
        try:
            return read_principal(claims)
        except ValueError:
            raise invalid("the token is not one of this service") from None

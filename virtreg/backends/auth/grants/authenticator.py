"""Grants in front of any authenticator."""

from __future__ import annotations

from typing import Final

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.doors import door_of, presented
from virtreg.backends.auth.grants.granted import Granted
from virtreg.backends.auth.grants.grants import Grants
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Readmits, Recalls

# People read these at the end of a line of their client's.
_LOGIN: Final = "a login is needed for this repository"
_OTHER: Final = (
    "the token was not given for this repository: its login may not pull it, or nothing is there"
)
_ENDED: Final = "the login has ended; log in again"


class GrantAuthenticator:
    """Admits who shows a grant to what it was given for; ``inner`` decides about all others.

    A grant is never worth more than what it was made from: its holder is decided about anew each
    time where ``inner`` has the power Readmits, as strangers are for a stranger's grant; otherwise
    it ends early when ``inner`` has the power Recalls and says that its holder is good no more.
    Refresh tokens need the power Readmits. Thread-safe if ``inner`` is.
    """

    def __init__(self, inner: Authenticator, grants: Grants) -> None:
        self._inner = inner
        # Asked once: finding out costs more than a grant that is remembered.
        self._recalls = inner if isinstance(inner, Recalls) else None
        self._readmits = inner if isinstance(inner, Readmits) else None
        self._grants = grants

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises what ``inner`` raises, and Unauthenticated: with the reason ``invalid_token`` for
        a bearer token that is not good, ``insufficient_scope`` for a grant of something else."""
        granted = self.granted(credentials)
        if granted is None:
            return self._ask(credentials, scope)
        if scope.action != "pull" or (scope.registry, scope.repository) not in granted.access:
            nobody = granted.principal == ANONYMOUS
            raise Unauthenticated(_LOGIN if nobody else _OTHER, reason="insufficient_scope")
        if self._readmits is None:
            return granted.principal
        return self._again(self._readmits, granted.principal, scope)

    def _again(self, inner: Readmits, principal: Principal, scope: Scope) -> Principal:
        """A role, a group or a registry may have changed since."""
        try:
            if principal == ANONYMOUS:
                return self._inner.admit(Credentials(), scope)
            return inner.readmit(principal, scope)
        except Unauthenticated as refusal:
            refusal.reason = refusal.reason or "invalid_token"
            raise

    def granted(self, credentials: Credentials) -> Granted | None:
        """The grant that is shown; None when none is. Raises Unauthenticated with the reason
        ``invalid_token`` for one that is not good."""
        text = _bearer(credentials)
        if text is None or not self._grants.recognizes(text):
            return None
        granted = self._grants.verify(text)
        if not self.stands(granted.principal):
            raise Unauthenticated(_ENDED, reason="invalid_token")
        return granted

    def stands(self, principal: Principal) -> bool:
        """False once ``inner`` says that the principal is good no more."""
        if self._recalls is None or principal == ANONYMOUS:
            return True
        return self._recalls.stands(principal)

    @property
    def readmits(self) -> bool:
        """Whether refresh tokens are any good: they are to be given out only then."""
        return self._readmits is not None

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        """Decide for who showed a refresh token. Raises what ``admit`` raises."""
        if self._readmits is None or not self.stands(principal):
            raise Unauthenticated(_ENDED, reason="invalid_token")
        return self._readmits.readmit(principal, scope)

    def _ask(self, credentials: Credentials, scope: Scope) -> Principal:
        try:
            return self._inner.admit(credentials, scope)
        except Unauthenticated as refusal:
            if not refusal.reason and _judged_as_bearer(credentials):
                refusal.reason = "invalid_token"
            raise


def _judged_as_bearer(credentials: Credentials) -> bool:
    """Not where a token's own header goes before it: a guess there must count as one."""
    shown = presented(credentials)
    return shown is not None and door_of(shown).name == "bearer"


def _bearer(credentials: Credentials) -> str | None:
    """The token of an ``Authorization`` value (RFC 6750, 2.1); None for other schemes."""
    scheme, _, token = (credentials.authorization or "").strip(" \t").partition(" ")
    return token.lstrip(" ") if scheme.lower() == "bearer" else None

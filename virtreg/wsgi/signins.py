"""How often an address may fail to sign in, and how often a token may be used."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from urllib.parse import unquote_plus

from attrs import frozen

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.core.ratelimit import Buckets, Rate
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.limits import TooManyRequests

_CREDENTIALS = (
    "HTTP_AUTHORIZATION",
    "HTTP_PRIVATE_TOKEN",
    "HTTP_DEPLOY_TOKEN",
    "HTTP_JOB_TOKEN",
)
_MINUTE = 60.0
_MOST_PROVED = 1024


class SignInLimit:
    """Has authenticators asked only as long as not too many sign-ins of one address have failed,
    and no token is used too often. Thread-safe.

    ``failures``: of an address in a minute; 0: any number. ``requests`` in ``seconds``: of one
    token, wherever it is used from; 0: any number. A request without credentials is no failure,
    nor is a bearer token that is not good, which clients renew and nobody can guess.

    Credentials that proved good since an address began to fail are asked about even so: one
    misconfigured build shuts out nobody behind the same address. Nor does it from what everybody
    may pull: there others are let in as nobody, without their credentials being asked about.
    """

    def __init__(
        self,
        failures: int = 20,
        requests: int = 1000,
        seconds: float = 15,
        addresses: Addresses | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._failures = Buckets(Rate(failures, _MINUTE)) if failures else None
        self._trying: set[str] = set()
        """Addresses for which somebody tries who may be the last that may fail."""
        self._tokens = Buckets(Rate(requests, seconds)) if requests else None
        self._addresses = addresses or Addresses()
        self._clock = clock
        self._lock = Lock()
        self._key = secrets.token_bytes(32)
        self._proved: OrderedDict[bytes, None] = OrderedDict()

    def guard(
        self, inner: Authenticator, proves: Callable[[Credentials], bool] = lambda _: False
    ) -> Authenticator:
        """The authenticator within these limits. What several of them count, they count together.
        ``proves``: whether these credentials are of a kind that nobody guesses, and that does not
        wait for failures of others. It is asked only where they would."""
        return _Guarded(self, inner, proves)

    def admit(
        self,
        inner: Authenticator,
        proves: Callable[[Credentials], bool],
        credentials: Credentials,
        scope: Scope,
    ) -> Principal:
        """Raises TooManyRequests, and what the authenticator raises."""
        # Mostly nobody has failed, and then nothing more is to be found out.
        turn = self._turn(credentials)
        if turn.wait and not proves(credentials):
            return self._as_nobody(inner, scope, turn.wait)
        try:
            principal = inner.admit(credentials, scope)
        except Unauthenticated as error:
            if not error.reason:
                self._failed(credentials)
            raise
        finally:
            if turn.last is not None:
                self._trying.discard(turn.last)
        if turn.troubled and principal != ANONYMOUS:
            # Where strangers may pull, wrong credentials are let in as nobody's.
            self._prove(credentials)
        if scope.path:
            self.count(principal)
        return principal

    def count(self, principal: Principal) -> None:
        """Count a request with somebody's token. Raises TooManyRequests."""
        if self._tokens is None or principal.token_id is None:
            return
        with self._lock:
            wait = self._tokens.take(principal.token_id, self._clock())
        if wait:
            raise TooManyRequests("too many requests with this token", retry_after=wait)

    def _turn(self, credentials: Credentials) -> _Turn:
        if not self._failures:
            # No limit, or mostly: nobody has failed anywhere.
            return _UNTROUBLED
        address, now = self._addresses.of(credentials.environ), self._clock()
        with self._lock:
            level = self._failures.level(address, now)
            if level == 0:
                return _UNTROUBLED
            room = self._most - level
            shown = _shown(credentials) if room < 2 else ""
            if not shown or self._fingerprint(shown) in self._proved:
                return _TROUBLED
            wait = self._failures.wait(address, now)
            if wait or address in self._trying:
                return _Turn(True, wait=wait or _MINUTE / self._most)
            # Or all who come before this one has failed would try for the same last place.
            self._trying.add(address)
        return _Turn(True, last=address)

    def _as_nobody(self, inner: Authenticator, scope: Scope, wait: float) -> Principal:
        try:
            if scope.public and scope.action == "pull":
                return inner.admit(Credentials(), scope)
        except Unauthenticated:
            pass
        raise TooManyRequests("too many failed sign-ins from this address", retry_after=wait)

    def _failed(self, credentials: Credentials) -> None:
        shown = _shown(credentials)
        if self._failures is None or not shown:
            return
        address = self._addresses.of(credentials.environ)
        with self._lock:
            self._failures.spend(address, self._clock())
            self._proved.pop(self._fingerprint(shown), None)

    def _prove(self, credentials: Credentials) -> None:
        shown = _shown(credentials)
        if not shown:
            return
        with self._lock:
            self._proved[self._fingerprint(shown)] = None
            if len(self._proved) > _MOST_PROVED:
                self._proved.popitem(last=False)

    def _fingerprint(self, shown: str) -> bytes:
        """Nothing that could be turned back into credentials."""
        return hmac.digest(self._key, shown.encode("utf-8", "surrogatepass"), hashlib.sha256)


@frozen
class _Turn:
    """Whether credentials may be tried, and what is known of their address."""

    troubled: bool
    """Somebody there has failed of late."""
    wait: float = 0.0
    """Seconds until they may; 0: now."""
    last: str | None = None
    """The address, if nobody else there may try meanwhile."""


_UNTROUBLED = _Turn(False)
_TROUBLED = _Turn(True)


@frozen(eq=False)
class _Guarded:
    """The protocol ``Authenticator``, without further powers."""

    limit: SignInLimit
    inner: Authenticator
    proves: Callable[[Credentials], bool]

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        return self.limit.admit(self.inner, self.proves, credentials, scope)


def _shown(credentials: Credentials) -> str:
    """The credentials of a request as one text; empty: there are none."""
    environ = credentials.environ
    shown = [environ.get(name, "") for name in _CREDENTIALS]
    shown[0] = credentials.authorization or shown[0]
    query = environ.get("QUERY_STRING", "")
    if "_token=" in unquote_plus(query):
        shown.append(query)
    return "\n".join(shown) if any(shown) else ""

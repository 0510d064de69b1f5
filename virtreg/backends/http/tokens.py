"""Tokens that are still good, each asked for once however many threads want it."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from attrs import frozen

from virtreg.errors import UpstreamUnavailable, VirtregError
from virtreg.model import Secret

_MOST = 1024
"""Scopes are made of names that clients ask for, so there is no end of them."""


@frozen
class Token:
    """A bearer token."""

    text: Secret
    good_until: float
    """Seconds since the epoch, some time before its end."""


class TokenCache:
    """Tokens by key, those used least lately forgotten first. Thread-safe.

    ``clock`` gives seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: OrderedDict[Hashable, Token] = OrderedDict()
        self._flights: dict[Hashable, Future[Token]] = {}

    def peek(self, key: Hashable) -> Token | None:
        """The token that is good now, if any."""
        with self._lock:
            return self._good(key)

    def get(self, key: Hashable, refused: Token | None, mint: Callable[[], Token]) -> Token:
        """A good token other than ``refused``, from ``mint`` unless there is one.

        Of threads that want the same key at once one mints; the others get its token or its
        error. Raises what ``mint`` raises.
        """
        with self._lock:
            token = self._good(key)
            if token is not None and token is not refused:
                return token
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        return self._lead(key, flight, mint) if leads else _joined(flight)

    def _lead(self, key: Hashable, flight: Future[Token], mint: Callable[[], Token]) -> Token:
        try:
            token = mint()
        except BaseException as error:
            with self._lock:
                self._tokens.pop(key, None)
                del self._flights[key]
            flight.set_exception(error)
            raise
        with self._lock:
            self._tokens[key] = token
            self._tokens.move_to_end(key)
            if len(self._tokens) > _MOST:
                self._tokens.popitem(last=False)
            del self._flights[key]
        flight.set_result(token)
        return token

    def _good(self, key: Hashable) -> Token | None:
        token = self._tokens.get(key)
        if token is None:
            return None
        if self._clock() >= token.good_until:
            del self._tokens[key]
            return None
        self._tokens.move_to_end(key)
        return token


def _joined(flight: Future[Token]) -> Token:
    error = flight.exception()
    if error is None:
        return flight.result()
    if isinstance(error, VirtregError):
        raise copy.copy(error)  # threads must not share a traceback
    raise UpstreamUnavailable("asking for a token was given up")

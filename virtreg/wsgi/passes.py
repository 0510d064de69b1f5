"""Who was let in a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from virtreg.model import Principal, Scope

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_LIFE: Final = 0.2
"""Seconds for which it is repeated that somebody may. With the second in which an authenticator
hears of another process's changes, this is all that a revocation takes."""
_MOST: Final = 4096

Key = tuple[str | None, str | None, str | None, str | None, str, str]


@frozen(eq=False)
class _Moment:
    made_at: float
    held: dict[Key, Principal] = field(factory=dict, repr=False)
    """By the headers as they came, which a request's environment holds as long."""


class Passes:
    """Spares an authenticator the same question from the same client many times a second.

    For authenticators alone that decide by nothing but the headers credentials come in and the
    registry and repository of a Scope to pull from; whoever changes what they decide by calls
    ``clear``. Only that somebody may is repeated. Thread-safe, and read without a lock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moment = _Moment(float("-inf"))

    def key(self, environ: WSGIEnvironment, scope: Scope) -> Key:
        get = environ.get
        return (
            get("HTTP_AUTHORIZATION"),
            get("HTTP_PRIVATE_TOKEN"),
            get("HTTP_DEPLOY_TOKEN"),
            get("HTTP_JOB_TOKEN"),
            scope.registry,
            scope.repository,
        )

    def holder(self, key: Key) -> Principal | None:
        """Whom this was a moment ago; None where the authenticator is to be asked."""
        moment = self._moment
        if 0 <= self._clock() - moment.made_at < _LIFE:
            return moment.held.get(key)
        return None

    def begin(self) -> object:
        """Before the authenticator is asked: what ``keep`` is given."""
        now = self._clock()
        moment = self._moment
        if not 0 <= now - moment.made_at < _LIFE or len(moment.held) >= _MOST:
            # Another one: what the last one held is not even kept in memory any longer.
            moment = self._moment = _Moment(now)
        return moment

    def keep(self, begun: object, key: Key, principal: Principal) -> None:
        """Remember what was decided, unless something has changed since it was ``begun``: then it
        goes where nobody looks."""
        assert isinstance(begun, _Moment)
        begun.held[key] = principal

    def clear(self) -> None:
        self._moment = _Moment(float("-inf"))

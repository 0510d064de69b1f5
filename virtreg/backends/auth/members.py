"""What people who sign in elsewhere may do, by their roles here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Self, cast

from attrs import evolve, field, frozen

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.revisions import Revisions
from virtreg.backends.auth.verified import Verified
from virtreg.core.identity import Caller, TokenKind, TokenScope
from virtreg.core.permissions import Verdict, decide
from virtreg.errors import Forbidden, NotFound, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Directory, Readmits, Recalls

_EVERYTHING: Final = frozenset(TokenScope)
_ASKED_EVERY: Final = 1.0
_REMEMBERED: Final = 16_384


@frozen
class _Known:
    """What the directory says of one user."""

    caller: Caller | None
    """None for one who may not sign in."""
    there: bool
    """Whether there is a user of that name."""


@frozen(eq=False)
class _Memory:
    """What was learnt of one revision of the directory. A change takes another one, so that who
    still learns from before it writes where nobody reads."""

    users: Verified[_Known] = field(factory=lambda: Verified(_REMEMBERED))
    groups: Verified[bool] = field(factory=lambda: Verified(_REMEMBERED))
    """Whether a group is switched on."""


class Members:
    """Admits whom ``inner`` does, to what the user of that name may do by ``directory``, with all
    that :func:`virtreg.core.permissions.decide` allows the user.

    Who is not in the directory, or blocked there, is refused however they signed in. Registries
    that are public admit strangers. ``inner`` must admit people, not tokens, whose own limits would
    not be known here. It must admit them to every action: those that are made here do with
    ``managing=True``.

    Changes of the directory are seen within a second. While it cannot be asked, what is remembered
    counts for a few minutes more, :data:`virtreg.backends.auth.revisions.GRACE`. ``clock`` gives
    seconds that never run backwards. Has the power Recalls, and the power Readmits where ``inner``
    has it: nobody else could tell whether a password, say, is still good. Thread-safe where the two
    are.
    """

    def __new__(cls, inner: Authenticator, *_: object, **__: object) -> Self:
        readmits = cls is Members and isinstance(inner, Readmits)
        return super().__new__(cast("type[Self]", _Readmitting) if readmits else cls)

    def __init__(
        self,
        inner: Authenticator,
        directory: Directory,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._directory = directory
        self._clock = clock
        self._memory = _Memory()
        self._revisions = Revisions(directory, _ASKED_EVERY, self._forget)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated, NotFound for what the caller may not know of, Forbidden, and what
        else ``inner`` and the directory raise."""
        memory = self._current()
        principal = ANONYMOUS
        refusal = Unauthenticated("nobody who is known here signed in")
        try:
            principal = self._inner.admit(credentials, self._asked(memory, scope))
        except Unauthenticated as error:
            refusal = error
        return self._decided(memory, principal, scope, refusal)

    def stands(self, principal: Principal) -> bool:
        """Whether the user is still in the directory and not blocked, and ``inner`` does not say
        no. A token's holder who is no user here is somebody else's to judge: beside this one in a
        chain, tokens sign in that are no user's."""
        if principal != ANONYMOUS:
            known = self._known(self._current(), principal.name)
            if known.caller is None and (known.there or principal.token_id is None):
                return False
        return not isinstance(self._inner, Recalls) or self._inner.stands(principal)

    def _asked(self, memory: _Memory, scope: Scope) -> Scope:
        """What ``inner`` is asked. Who shows something is to be known where strangers may not pull
        because the group is off."""
        if scope.public and not self._enabled(memory, scope.group):
            return evolve(scope, public=False)
        return scope

    def _decided(
        self, memory: _Memory, principal: Principal, scope: Scope, refusal: Unauthenticated
    ) -> Principal:
        caller = None
        if principal != ANONYMOUS:
            caller = self._known(memory, principal.name).caller
        enabled = self._enabled(memory, scope.group)
        verdict = decide(caller, scope.action, scope.group, public=scope.public, enabled=enabled)
        if verdict is Verdict.UNKNOWN:
            raise refusal
        if verdict is Verdict.HIDDEN:
            # As where there is none: whether there is one is what must not be told.
            raise NotFound("there is no registry at this URL")
        if verdict is Verdict.FORBIDDEN:
            raise Forbidden(f"{scope.action}: the role in group {scope.group!r} is not enough")
        return ANONYMOUS if caller is None else principal

    def _current(self) -> _Memory:
        """What is remembered and may be believed."""
        self._revisions.follow(self._clock())
        return self._memory

    def _forget(self) -> None:
        self._memory = _Memory()

    def _known(self, memory: _Memory, name: str) -> _Known:
        key = name.encode("utf-8", "surrogatepass")
        known = memory.users.get(key)
        if known is None:
            known = self._look_up(name)
            memory.users.add(key, known)
        return known

    def _look_up(self, name: str) -> _Known:
        user = self._directory.user(name)
        if user is None or user.blocked:
            return _Known(None, there=user is not None)
        roles = self._directory.roles(name)
        kind = TokenKind.PERSONAL
        return _Known(Caller(name, "", kind, _EVERYTHING, roles, user.administrator), there=True)

    def _enabled(self, memory: _Memory, name: str) -> bool:
        key = name.encode("utf-8", "surrogatepass")
        switched = memory.groups.get(key)
        if switched is None:
            group = self._directory.group(name)
            switched = group is None or group.enabled
            memory.groups.add(key, switched)
        return switched


class _Readmitting(Members):
    """Has the power Readmits."""

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        """Raises what ``admit`` raises, and Unauthenticated also where strangers may pull."""
        assert isinstance(self._inner, Readmits)
        memory = self._current()
        again = self._inner.readmit(principal, self._asked(memory, scope))
        refusal = Unauthenticated("the user is gone or blocked")
        if again == ANONYMOUS or self._known(memory, again.name).caller is None:
            raise refusal
        return self._decided(memory, again, scope, refusal)

"""What people who sign in elsewhere may do, by their roles here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from attrs import field, frozen

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.verified import Verified
from virtreg.core.identity import Caller, TokenKind, TokenScope
from virtreg.core.permissions import Verdict, decide
from virtreg.errors import Forbidden, NotFound, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Directory, Recalls

_EVERYTHING: Final = frozenset(TokenScope)
_ASKED_EVERY: Final = 1.0
_REMEMBERED: Final = 16_384


@frozen
class _Known:
    """What the directory says of one user: nothing, for one who may not sign in."""

    caller: Caller | None


@frozen(eq=False)
class _Memory:
    """What was learnt of one revision of the directory. A change takes another one, so that who
    still learns from before it writes where nobody reads."""

    revision: int | None = None
    users: Verified[_Known] = field(factory=lambda: Verified(_REMEMBERED))
    groups: Verified[bool] = field(factory=lambda: Verified(_REMEMBERED))
    """Whether a group is switched on."""


class Members:
    """Admits whom ``inner`` does, to what the user of that name may do by ``directory``, with all
    that :func:`virtreg.core.permissions.decide` allows the user.

    Who is not in the directory, or blocked there, is refused however they signed in. Registries
    that are public admit strangers. ``inner`` must admit people, not tokens, whose own limits would
    not be known here.

    Changes of the directory are seen within a second. ``clock`` gives seconds that never run
    backwards. Has the power Recalls. Thread-safe where the two are.
    """

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
        self._asked_at = -math.inf

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated, NotFound for what the caller may not know of, Forbidden, and what
        else ``inner`` and the directory raise."""
        memory = self._current()
        principal = ANONYMOUS
        refusal = Unauthenticated("nobody who is known here signed in")
        try:
            principal = self._inner.admit(credentials, scope)
        except Unauthenticated as error:
            refusal = error
        caller = self._caller(memory, principal)
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

    def stands(self, principal: Principal) -> bool:
        """Whether the user is still in the directory and not blocked, and ``inner`` does not say
        no."""
        if principal != ANONYMOUS and self._caller(self._current(), principal) is None:
            return False
        return not isinstance(self._inner, Recalls) or self._inner.stands(principal)

    def _current(self) -> _Memory:
        """What is remembered and was still true a second ago."""
        now = self._clock()
        if now >= self._asked_at + _ASKED_EVERY:
            revision = self._directory.revision()
            if revision != self._memory.revision:
                self._memory = _Memory(revision)
            self._asked_at = now
        return self._memory

    def _caller(self, memory: _Memory, principal: Principal) -> Caller | None:
        if principal == ANONYMOUS:
            return None
        key = principal.name.encode("utf-8", "surrogatepass")
        known = memory.users.get(key)
        if known is None:
            known = _Known(self._look_up(principal.name))
            memory.users.add(key, known)
        return known.caller

    def _look_up(self, name: str) -> Caller | None:
        user = self._directory.user(name)
        if user is None or user.blocked:
            return None
        roles = self._directory.roles(name)
        return Caller(name, "", TokenKind.PERSONAL, _EVERYTHING, roles, user.administrator)

    def _enabled(self, memory: _Memory, name: str) -> bool:
        key = name.encode("utf-8", "surrogatepass")
        switched = memory.groups.get(key)
        if switched is None:
            group = self._directory.group(name)
            switched = group is None or group.enabled
            memory.groups.add(key, switched)
        return switched

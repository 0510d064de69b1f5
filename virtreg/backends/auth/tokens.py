"""Authentication by tokens out of a directory."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from typing import Final

from attrs import define, field

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.callers import caller_of
from virtreg.backends.auth.doors import Door, Presented, door_of, look_into, presented
from virtreg.backends.auth.learnt import Learnt
from virtreg.backends.auth.refusals import refusal
from virtreg.backends.auth.revisions import Revisions
from virtreg.backends.auth.secret_text import digest_of
from virtreg.backends.auth.uses import Uses
from virtreg.core.identity import Caller, Token
from virtreg.core.permissions import Verdict, decide
from virtreg.errors import Unauthenticated
from virtreg.events import AuditEvent, Denied, SignInFailed
from virtreg.model import Action, Credentials, Principal, Scope
from virtreg.protocols import Announces, Directory

_STRANGERS: Final = 2048
"""Credentials that proved wrong are remembered too, apart: nobody is pushed out by them."""
_ASKED_EVERY: Final = 0.8
"""Seconds; with what :mod:`virtreg.wsgi.passes` repeats, a change is in force within one."""
_USES_AFTER: Final = 5.0
_NOBODY: Final = b""
_GONE: Final = "the token has expired or was revoked"
_NEEDED: Final = "credentials are needed: a token, or a user name and a token"


@define
class _Known:
    """What is known of one credential, or of none."""

    caller: Caller | None
    refusal: str
    """What to say where somebody must be known."""
    principal: Principal = ANONYMOUS
    until: float = math.inf
    verdicts: dict[tuple[Action, str, bool], Verdict] = field(factory=dict)
    """By action, group and whether the registry is public."""


class _Memory:
    """What was learnt since the directory last changed. Never emptied: a change takes another one,
    so that who still learns from before it writes where nobody reads."""

    def __init__(self, limit: int) -> None:
        self.callers = Learnt[_Known](limit)
        self.strangers = Learnt[_Known](_STRANGERS)


class TokenAuthenticator:
    """Admits who shows a good token of ``directory`` by any of the doors of
    :mod:`virtreg.backends.auth.doors`, to what :func:`virtreg.core.permissions.decide` allows.

    Where strangers may pull, credentials that are unknown here are ignored, since clients of a
    mirror send it those of the registry behind; everywhere else they are refused. A wrong user
    name, an unknown token, an expired and a revoked one all get the same answer.

    What was learnt of a token, or of its absence, is remembered until the token expires, for up to
    ``remembered`` credentials and by a digest, and forgotten when the directory changes: at once
    where the directory has the power Announces, else within a second. While the directory cannot
    be asked it counts for a few minutes more, :data:`virtreg.backends.auth.revisions.GRACE`; then,
    and where nothing was learnt, the directory's StorageError is raised. ``clock`` gives seconds
    since the epoch. ``on_denied`` is an observer, told of credentials that nobody is known by and
    of those who may not; not of requests without credentials. In a chain it also hears of
    credentials that were meant for somebody after it.

    Has the powers Recalls and Readmits. Thread-safe. Whoever made it closes it, before the
    directory.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Callable[[], float] = time.time,
        on_denied: Callable[[AuditEvent], None] | None = None,
        *,
        remembered: int = 16_384,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._on_denied = on_denied
        self._remembered = remembered
        self._memory = _Memory(remembered)
        self._revisions = Revisions(directory, _ASKED_EVERY, self.forget)
        self._uses = Uses(directory, _USES_AFTER)
        if isinstance(directory, Announces):
            directory.on_change(self.forget)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated (nobody is known by these credentials), NotFound (the caller may
        not know of the registry), Forbidden (known, and not allowed), and what the directory
        raises where it must be asked and cannot be."""
        now = self._clock()
        memory = self._current(now)
        # Query parameters end in logs and histories: only where the API promises them.
        credential = presented(credentials, query=scope.action != "pull")
        key = _NOBODY if credential is None else _fingerprint(credential)
        known = memory.callers.get(key)
        if known is None or now >= known.until:
            known = self._learn(memory, key, lambda: self._identify(credential, now))
        verdict = self._verdict(known, scope, now)
        if verdict is Verdict.ALLOWED:
            return known.principal
        address = str(credentials.environ.get("REMOTE_ADDR", ""))
        if known.caller is None:
            if credential is not None:
                self._tell_failure(address, scope, door_of(credential))
            raise Unauthenticated(known.refusal)
        self._tell_denial(address, scope, known.caller, verdict)
        raise refusal(known.caller, scope, verdict)

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        """What :meth:`admit` says to the token that the principal was admitted by. Raises what it
        raises; Unauthenticated also where strangers may pull, when the token is good no more or
        there was none."""
        now = self._clock()
        known = self._holder(principal, now)
        if known.caller is None:
            raise Unauthenticated(known.refusal)
        verdict = self._verdict(known, scope, now)
        if verdict is Verdict.ALLOWED:
            return known.principal
        self._tell_denial("", scope, known.caller, verdict)
        raise refusal(known.caller, scope, verdict)

    def stands(self, principal: Principal) -> bool:
        """Whether the token that the principal was admitted by is still good; True for principals
        without a token, of whom nothing is known here. Raises what the directory raises."""
        if principal.token_id is None:
            return True
        return self._holder(principal, self._clock()).caller is not None

    def forget(self) -> None:
        """Forget all that was learnt from the directory. For those who change it in this process
        where it does not announce changes itself."""
        self._memory = _Memory(self._remembered)

    def close(self) -> None:
        """Write when tokens were last used; repeatable."""
        self._uses.close()

    def _current(self, now: float) -> _Memory:
        """What is remembered and may be believed."""
        self._revisions.follow(now)
        return self._memory

    def _learn(self, memory: _Memory, key: bytes, learn: Callable[[], _Known]) -> _Known:
        known = memory.strangers.get(key)
        if known is None:
            known = learn()
            wrong = known.caller is None and key != _NOBODY
            kept = memory.strangers if wrong else memory.callers
            kept.add(key, known)
        return known

    def _identify(self, credential: Presented | None, now: float) -> _Known:
        if credential is None:
            return _Known(None, _NEEDED)
        try:
            shown = look_into(credential)
        except Unauthenticated as error:
            return _Known(None, error.message)
        token = self._directory.token(digest_of(shown.secret))
        if token is not None and shown.fits(token):
            known = self._known_by(token, now)
            if known.caller is not None:
                return known
        what = "user name or token" if shown.username is not None else "token"
        kinds = ", ".join(sorted(shown.door.kinds))
        return _Known(
            None,
            f"{shown.door.name}: unknown {what}, or the token has expired or was revoked; "
            f"taken here: tokens of kind {kinds}",
        )

    def _holder(self, principal: Principal, now: float) -> _Known:
        """Who has the token of a principal now."""
        memory = self._current(now)
        token_id = principal.token_id or ""
        # Fingerprints have another length.
        key = b"the token with the public identifier " + token_id.encode("utf-8", "surrogatepass")
        known = memory.callers.get(key)
        if known is None or now >= known.until:
            return self._learn(
                memory, key, lambda: self._known_by(self._directory.token_by_id(token_id), now)
            )
        return known

    def _known_by(self, token: Token | None, now: float) -> _Known:
        caller = None if token is None else caller_of(self._directory, token, now)
        if token is None or caller is None:
            return _Known(None, _GONE)
        until = math.inf if token.expires_at is None else token.expires_at
        return _Known(caller, "", Principal(caller.name, caller.token_id), until)

    def _verdict(self, known: _Known, scope: Scope, now: float) -> Verdict:
        asked = (scope.action, scope.group, scope.public)
        verdict = known.verdicts.get(asked)
        if verdict is None:
            group = self._directory.group(scope.group)
            enabled = group is None or group.enabled
            verdict = known.verdicts[asked] = decide(
                known.caller, scope.action, scope.group, public=scope.public, enabled=enabled
            )
        token_id = known.principal.token_id
        if token_id is not None:
            self._uses.add(token_id, now)
        return verdict

    def _tell_failure(self, address: str, scope: Scope, door: Door) -> None:
        if self._on_denied is not None:
            where = {"registry": scope.registry, "path": scope.path, "address": address}
            self._on_denied(SignInFailed(door=door.name, **where))

    def _tell_denial(self, address: str, scope: Scope, caller: Caller, verdict: Verdict) -> None:
        asked = scope.path or scope.repository or scope.action != "pull"
        # Else nothing was to be pulled: it was asked whether the caller is known.
        if self._on_denied is not None and asked:
            denied = Denied(
                registry=scope.registry,
                path=scope.path,
                actor=caller.name,
                token_id=caller.token_id,
                address=address,
                action=scope.action,
                hidden=verdict is Verdict.HIDDEN,
            )
            self._on_denied(denied)


def _fingerprint(credential: Presented) -> bytes:
    """Of one credential by one door; cannot be turned back."""
    door, value = credential
    return hashlib.blake2b(f"{door.name} {value}".encode("utf-8", "surrogatepass")).digest()

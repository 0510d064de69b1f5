"""Authentication by tokens out of a directory."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from attrs import define, field

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.callers import caller_of
from virtreg.backends.auth.doors import Presented, door_of, look_into, presented
from virtreg.backends.auth.secret_text import digest_of
from virtreg.backends.auth.uses import Uses
from virtreg.backends.auth.verified import Verified
from virtreg.core.identity import Caller
from virtreg.core.permissions import REQUIREMENTS, Verdict, decide
from virtreg.errors import Forbidden, NotFound, Unauthenticated, VirtregError
from virtreg.events import AuditEvent, Denied, SignInFailed
from virtreg.model import Action, Credentials, Principal, Scope
from virtreg.protocols import Announces, Directory

_STRANGERS: Final = 2048
"""Credentials that proved wrong are remembered too, apart: nobody is pushed out by them."""
_ASKED_EVERY: Final = 1.0
_USES_AFTER: Final = 5.0
_NOBODY: Final = b""
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
        self.callers = Verified[_Known](limit)
        self.strangers = Verified[_Known](_STRANGERS)
        self.standing = Verified[float](limit)


class TokenAuthenticator:
    """Admits who shows a good token of ``directory`` by any of the doors of
    :mod:`virtreg.backends.auth.doors`, to what :func:`virtreg.core.permissions.decide` allows.

    Where strangers may pull, credentials that are unknown here are ignored, since clients of a
    mirror send it those of the registry behind; everywhere else they are refused. A wrong user
    name, an unknown token, an expired and a revoked one all get the same answer.

    What was learnt of a token, or of its absence, is remembered until the token expires, for up to
    ``remembered`` credentials and by a digest, and forgotten when the directory changes: at once
    where the directory has the power Announces, else within a second. ``clock`` gives seconds since
    the epoch. ``on_denied`` is an observer, told of credentials that nobody is known by and of
    those who may not; not of requests without credentials. In a chain it also hears of credentials
    that were meant for somebody after it.

    Thread-safe. Whoever made it closes it, before the directory.
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
        self._asking = Lock()
        self._revision: int | None = None
        self._asked_at = -math.inf
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
        fingerprint = _NOBODY if credential is None else _fingerprint(credential)
        known = memory.callers.get(fingerprint)
        if known is None or now >= known.until:
            known = memory.strangers.get(fingerprint)
            if known is None:
                known = self._meet(memory, fingerprint, credential, now)
        asked = (scope.action, scope.group, scope.public)
        verdict = known.verdicts.get(asked)
        if verdict is None:
            verdict = known.verdicts[asked] = self._decide(known.caller, scope)
        principal = known.principal
        if principal.token_id is not None:
            self._uses.add(principal.token_id, now)
        if verdict is Verdict.ALLOWED:
            return principal
        self._tell(credentials, credential, known, scope, verdict)
        raise _refusal(known, scope, verdict)

    def stands(self, principal: Principal) -> bool:
        """Whether the token that the principal was admitted by is still good; True for principals
        without a token, of whom nothing is known here. Raises what the directory raises."""
        if principal.token_id is None:
            return True
        now = self._clock()
        memory = self._current(now)
        key = principal.token_id.encode("utf-8", "surrogatepass")
        until = memory.standing.get(key)
        if until is None:
            token = self._directory.token_by_id(principal.token_id)
            until = -math.inf
            if token is not None and caller_of(self._directory, token, now) is not None:
                until = math.inf if token.expires_at is None else token.expires_at
            memory.standing.add(key, until)
        return now < until

    def forget(self) -> None:
        """Forget all that was learnt from the directory. For those who change it in this process
        where it does not announce changes itself."""
        self._memory = _Memory(self._remembered)

    def close(self) -> None:
        """Write when tokens were last used; repeatable."""
        self._uses.close()

    def _current(self, now: float) -> _Memory:
        """What is remembered and was still true a second ago."""
        if not -_ASKED_EVERY < now - self._asked_at < _ASKED_EVERY:
            self._ask(now)
        return self._memory

    def _ask(self, now: float) -> None:
        with self._asking:
            since = now - self._asked_at
            if -_ASKED_EVERY < since < _ASKED_EVERY:
                return
            revision = self._directory.revision()
            # A clock that was set back: what had expired may be good again.
            if revision != self._revision or since < 0:
                self.forget()
            self._revision = revision
            self._asked_at = now

    def _meet(
        self, memory: _Memory, fingerprint: bytes, credential: Presented | None, now: float
    ) -> _Known:
        known = _Known(None, _NEEDED) if credential is None else self._identify(credential, now)
        kept = memory.strangers if credential and known.caller is None else memory.callers
        kept.add(fingerprint, known)
        return known

    def _identify(self, credential: Presented, now: float) -> _Known:
        try:
            shown = look_into(credential)
        except Unauthenticated as error:
            return _Known(None, error.message)
        token = self._directory.token(digest_of(shown.secret))
        if token is not None and shown.fits(token):
            caller = caller_of(self._directory, token, now)
            if caller is not None:
                until = math.inf if token.expires_at is None else token.expires_at
                return _Known(caller, "", Principal(caller.name, caller.token_id), until)
        what = "user name or token" if shown.username is not None else "token"
        kinds = ", ".join(sorted(shown.door.kinds))
        return _Known(
            None,
            f"{shown.door.name}: unknown {what}, or the token has expired or was revoked; "
            f"taken here: tokens of kind {kinds}",
        )

    def _decide(self, caller: Caller | None, scope: Scope) -> Verdict:
        group = self._directory.group(scope.group)
        enabled = group is None or group.enabled
        return decide(caller, scope.action, scope.group, public=scope.public, enabled=enabled)

    def _tell(
        self,
        credentials: Credentials,
        credential: Presented | None,
        known: _Known,
        scope: Scope,
        verdict: Verdict,
    ) -> None:
        if self._on_denied is None or credential is None:
            return
        address = str(credentials.environ.get("REMOTE_ADDR", ""))
        if known.caller is None:
            failed = SignInFailed(
                registry=scope.registry,
                path=scope.path,
                address=address,
                door=door_of(credential).name,
            )
            self._on_denied(failed)
        elif scope.path or scope.repository or scope.action != "pull":
            # Else nothing was to be pulled: it was asked whether the caller is known.
            denied = Denied(
                registry=scope.registry,
                path=scope.path,
                actor=known.caller.name,
                token_id=known.caller.token_id,
                address=address,
                action=scope.action,
                hidden=verdict is Verdict.HIDDEN,
            )
            self._on_denied(denied)


def _fingerprint(credential: Presented) -> bytes:
    """Of one credential by one door; cannot be turned back."""
    door, value = credential
    return hashlib.sha256(f"{door.name} {value}".encode("utf-8", "surrogatepass")).digest()


def _refusal(known: _Known, scope: Scope, verdict: Verdict) -> VirtregError:
    caller = known.caller
    if caller is None:
        return Unauthenticated(known.refusal)
    if verdict is Verdict.UNKNOWN:
        return Unauthenticated(f"{scope.action}: {caller.kind} tokens are not taken for this")
    if verdict is Verdict.HIDDEN:
        # As where there is none: whether there is one is what must not be told.
        return NotFound("there is no registry at this URL")
    requirement = REQUIREMENTS[scope.action]
    if not caller.scopes & requirement.scopes:
        scopes = ", ".join(sorted(requirement.scopes))
        return Forbidden(f"{scope.action}: the token needs one of the scopes {scopes}")
    if requirement.role is None:
        return Forbidden(f"{scope.action}: an administrator is needed")
    role = requirement.role.name.lower()
    return Forbidden(f"{scope.action}: the role {role} in group {scope.group!r} is needed")

"""HTTP Basic authentication (RFC 7617) against a fixed set of users."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from werkzeug.security import check_password_hash

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.hashing import Hashing
from virtreg.backends.auth.pulling import need_pull
from virtreg.backends.auth.schemes import parse_basic
from virtreg.backends.auth.strangers import strangers_may
from virtreg.backends.auth.verified import Verified
from virtreg.errors import ConfigError, Unauthenticated
from virtreg.model import Credentials, Principal, Scope

_MOST_WAITING: Final = 32
_HASH: Final = re.compile(r"(?P<method>(?:scrypt|pbkdf2)(?::[a-z0-9]+)*)\$[^$]+\$[0-9a-f]+")
_USER: Final = re.compile(r"[^:\x00-\x1f\x7f]+")


class BasicAuthenticator:
    """Admits the users of a mapping from user name to password hash, to pull from every registry,
    and strangers to pull from public ones.

    ``managing``: also to manage registries, all of them; for use in
    :class:`~virtreg.backends.auth.members.Members`, which goes by their roles. Otherwise they may
    pull and nothing else.

    Hashes are in the format of ``werkzeug.security.generate_password_hash``; scrypt is meant.
    Raises ConfigError, naming the user, for a name that Basic cannot carry and for anything that is
    not such a hash or has parameters that this host cannot compute. Later changes of the mapping
    have no effect.

    A right password is hashed once and then remembered, up to ``remembered`` of them. Nothing
    remembered can be turned back into a password. An unknown user costs as much time as a wrong
    password, as long as all hashes have the same parameters. Passwords are hashed one at a time: a
    flood of wrong ones takes the memory of one hash, one processor and few threads, since only so
    many may wait, and callers who are remembered do not wait for it. Where strangers may pull
    nothing is hashed: who is not remembered is a stranger, whatever they show, since clients of a
    mirror send it the credentials of the registry behind.
    """

    def __init__(
        self, users: Mapping[str, str], *, remembered: int = 1024, managing: bool = False
    ) -> None:
        _check(users)
        self._managing = managing
        self._users = dict(users)
        self._hashes = tuple(self._users.values())
        self._key = secrets.token_bytes(32)
        self._verified = Verified[Principal](remembered)
        self._hashing = Hashing(_MOST_WAITING)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated when the header is absent, malformed or not right, and
        TooManySignIns, a 503, while too many others wait to be checked; neither where strangers
        may pull."""
        need_pull(scope, managing=self._managing)
        if strangers_may(scope):
            with suppress(Unauthenticated):
                return self._verified.get(self._fingerprint(*_shown(credentials))) or ANONYMOUS
            return ANONYMOUS
        name, password = _shown(credentials)
        fingerprint = self._fingerprint(name, password)
        principal = self._verified.get(fingerprint)
        if principal is not None:
            return principal
        return self._hashing.run(fingerprint, lambda: self._sign_in(fingerprint, name, password))

    def _fingerprint(self, name: str, password: str) -> bytes:
        """Of what the header says, not of its spelling: one user takes one place in the memory."""
        return self._digest(f"{name}:{password}")

    def _sign_in(self, fingerprint: bytes, name: str, password: str) -> Principal:
        principal = self._verified.get(fingerprint)
        if principal is None:
            self._verify(name, password)
            principal = Principal(name)
            self._verified.add(fingerprint, principal)
        return principal

    def _verify(self, name: str, password: str) -> None:
        known = self._users.get(name)
        right = check_password_hash(known or self._decoy(name), password)
        if known is None or not right:
            raise Unauthenticated("unknown user or wrong password")

    def _decoy(self, name: str) -> str:
        """A hash to spend an unknown user's time on: always the same one for the same name."""
        if not self._hashes:
            raise Unauthenticated("unknown user or wrong password")
        return self._hashes[int.from_bytes(self._digest(name)) % len(self._hashes)]

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)


def _shown(credentials: Credentials) -> tuple[str, str]:
    if credentials.authorization is None:
        raise Unauthenticated("a user name and a password are needed")
    return parse_basic(credentials.authorization)


def _check(users: Mapping[str, str]) -> None:
    methods: set[str] = set()
    for name, password_hash in users.items():
        if _USER.fullmatch(name) is None:
            raise ConfigError(
                f"user {name!r}: a name must not be empty or hold ':' or control characters"
            )
        match = _HASH.fullmatch(password_hash)
        if match is None:
            raise ConfigError(f"user {name!r}: not a scrypt or pbkdf2 password hash")
        if match["method"] not in methods:
            try:
                check_password_hash(password_hash, "")
            except (ValueError, OverflowError, MemoryError) as error:
                raise ConfigError(
                    f"user {name!r}: password hash {match['method']} cannot be computed: {error}"
                ) from error
            methods.add(match["method"])

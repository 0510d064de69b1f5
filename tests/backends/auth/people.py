"""People with tokens, for tests of who gets in."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import count

from attrs import define, evolve, field

from virtreg.backends.auth.secret_text import digest_of, new_secret
from virtreg.core.identity import Role, Token, TokenKind, TokenScope, User
from virtreg.model import Credentials, Scope
from virtreg.protocols import Directory
from virtreg.testing.memory import MemoryDirectory

PULL = frozenset({TokenScope.READ_VIRTUAL_REGISTRY})
OURS = Scope("main", "a/b", group="ours")
PUBLIC = Scope("open", "a/b", group="ours", public=True)


@define
class People:
    """A directory with the groups ours and theirs, and the guest ann of ours."""

    directory: Directory = field(factory=MemoryDirectory)
    _numbers: Iterator[int] = field(factory=lambda: count(1))

    def __attrs_post_init__(self) -> None:
        for group in ("ours", "theirs"):
            self.directory.add_group(group)
        self.add("ann", Role.GUEST)

    def add(self, name: str, role: Role | None = None, *, administrator: bool = False) -> None:
        """A user, and their role in ours."""
        self.directory.save_user(User(name, administrator))
        self.directory.set_role("ours", name, role)

    def token(
        self,
        kind: TokenKind = TokenKind.PERSONAL,
        username: str = "ann",
        *,
        scopes: frozenset[TokenScope] = PULL,
        role: Role | None = None,
        group: str = "ours",
        expires_at: float | None = None,
    ) -> str:
        """The text of a new token, with the id ``t1``, ``t2``, and so on."""
        token = Token(f"t{next(self._numbers)}", kind, "made for a test", username, scopes, 1.0)
        if kind in (TokenKind.GROUP, TokenKind.DEPLOY):
            token = evolve(token, group=group)
        if kind is TokenKind.GROUP:
            token = evolve(token, role=role or Role.GUEST)
        secret = new_secret(kind).reveal()
        self.directory.add_token(evolve(token, expires_at=expires_at), digest_of(secret))
        return secret


def basic(username: str, secret: str) -> Credentials:
    return Credentials("Basic " + base64.b64encode(f"{username}:{secret}".encode()).decode())


def bearer(secret: str) -> Credentials:
    return Credentials(f"Bearer {secret}")


def header(name: str, value: str) -> Credentials:
    return Credentials(environ={"HTTP_" + name.upper().replace("-", "_"): value})


def query(text: str) -> Credentials:
    return Credentials(environ={"QUERY_STRING": text})

"""Who may do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from virtreg.core.identity import Group, Role, Token, User
from virtreg.model import Credentials, Principal, Scope


class Authenticator(Protocol):
    """Decides who a caller is and whether they may."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated (nobody known: challenge them), Forbidden (known, not allowed) or
        NotFound (known, and not to learn whether there is such a registry). Called for every
        request; an implementation caches what is slow."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """Power of an Authenticator: say that somebody it admitted is good no more, for grants that
    outlive the request they were made in."""

    def stands(self, principal: Principal) -> bool:
        """False once the token was revoked or ended, or its user blocked. Fast: asked for every
        request that shows a grant."""
        ...


@runtime_checkable
class Readmits(Protocol):
    """Power of an Authenticator: decide for somebody it admitted before, who shows no credentials
    this time but a refresh token."""

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        """What ``admit`` would say to the credentials the principal came with. Raises what
        ``admit`` raises, Unauthenticated when they are good no more."""
        ...


class Directory(Protocol):
    """Who there is: users, groups, members and tokens."""

    def revision(self) -> int:
        """A number that grows with every change but uses of tokens, also of other processes;
        cheap enough to ask once a second."""
        ...

    def user(self, name: str) -> User | None: ...

    def users(self) -> list[User]:
        """By name."""
        ...

    def save_user(self, user: User) -> None:
        """Insert or replace by name. May raise Conflict when the name of a new one could be taken
        for another's."""
        ...

    def remove_user(self, name: str) -> None:
        """With memberships and tokens. Raises NotFound."""
        ...

    def group(self, name: str) -> Group | None: ...

    def groups(self) -> list[Group]:
        """By id."""
        ...

    def add_group(self, name: str) -> Group:
        """Raises Conflict when there is one, and may when there is one that it could be taken
        for."""
        ...

    def switch_group(self, name: str, enabled: bool) -> None:
        """Raises NotFound."""
        ...

    def roles(self, user: str) -> Mapping[str, Role]:
        """By group; empty for nobody."""
        ...

    def members(self, group: str) -> Mapping[str, Role]:
        """By user."""
        ...

    def set_role(self, group: str, user: str, role: Role | None) -> None:
        """None ends the membership. Raises NotFound for an unknown group or user."""
        ...

    def add_token(self, token: Token, digest: str) -> None:
        """``digest`` is the SHA-256 of the secret, in hex. Raises Conflict when the id, the
        digest, or a deploy token's username within its group is taken, and may when a user's name
        could be taken for the username of a group's or deploy token; NotFound when the user or
        the group is not there."""
        ...

    def token(self, digest: str) -> Token | None:
        """Found by its secret, good or not."""
        ...

    def token_by_id(self, token_id: str) -> Token | None: ...

    def tokens(self) -> list[Token]:
        """All, newest first."""
        ...

    def revoke_token(self, token_id: str, at: float) -> None:
        """Raises NotFound; no error when it was revoked before."""
        ...

    def used_tokens(self, uses: Mapping[str, float]) -> None:
        """Remember when tokens, by id, were last used; unknown ones are ignored."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Announces(Protocol):
    """Power of a Directory: tell at once of changes that are made through this very object."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call it after every change but uses of tokens, before the method that made the change
        returns. It is quick, and does not ask the directory."""
        ...

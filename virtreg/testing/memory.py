"""A directory of users, groups and tokens in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from attrs import evolve

from virtreg.core.identity import Group, Role, Token, TokenKind, User
from virtreg.errors import Conflict, NotFound


class MemoryDirectory:
    """A Directory without a file, for tests and for hosts that know their users before they start.
    Has the power Announces. Thread-safe; holds digests of tokens alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = 0
        self._listeners: list[Callable[[], None]] = []
        self._users: dict[str, User] = {}
        self._groups: dict[str, Group] = {}
        self._roles: dict[tuple[str, str], Role] = {}
        self._tokens: dict[str, Token] = {}
        self._ids: dict[str, str] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        with self._lock:
            self._listeners.append(listener)

    def revision(self) -> int:
        with self._lock:
            return self._revision

    def user(self, name: str) -> User | None:
        with self._lock:
            return self._users.get(name)

    def users(self) -> list[User]:
        with self._lock:
            return [self._users[name] for name in sorted(self._users)]

    def save_user(self, user: User) -> None:
        with self._lock:
            self._users[user.name] = user
            self._changed()

    def remove_user(self, name: str) -> None:
        with self._lock:
            if self._users.pop(name, None) is None:
                raise NotFound(f"there is no user {name!r}")
            self._roles = {key: role for key, role in self._roles.items() if key[1] != name}
            for token in self._signing_in_as(name):
                self._tokens.pop(token.id)
                self._ids = {key: held for key, held in self._ids.items() if held != token.id}
            self._changed()

    def group(self, name: str) -> Group | None:
        with self._lock:
            return self._groups.get(name)

    def groups(self) -> list[Group]:
        with self._lock:
            return list(self._groups.values())

    def add_group(self, name: str) -> Group:
        with self._lock:
            if name in self._groups:
                raise Conflict(f"there is a group {name!r} already")
            group = self._groups[name] = Group(len(self._groups) + 1, name)
            self._changed()
            return group

    def switch_group(self, name: str, enabled: bool) -> None:
        with self._lock:
            self._groups[name] = evolve(self._known_group(name), enabled=enabled)
            self._changed()

    def roles(self, user: str) -> Mapping[str, Role]:
        with self._lock:
            return {group: role for (group, name), role in self._roles.items() if name == user}

    def members(self, group: str) -> Mapping[str, Role]:
        with self._lock:
            return {name: role for (held, name), role in self._roles.items() if held == group}

    def set_role(self, group: str, user: str, role: Role | None) -> None:
        with self._lock:
            self._known_group(group)
            if user not in self._users:
                raise NotFound(f"there is no user {user!r}")
            if role is None:
                self._roles.pop((group, user), None)
            else:
                self._roles[group, user] = role
            self._changed()

    def add_token(self, token: Token, digest: str) -> None:
        with self._lock:
            if token.kind in (TokenKind.PERSONAL, TokenKind.JOB):
                if token.username not in self._users:
                    raise NotFound(f"there is no user {token.username!r}")
            else:
                self._known_group(token.group or "")
            if token.id in self._tokens or digest in self._ids or self._twin(token):
                raise Conflict(f"token {token.id!r} has an id, text or user name that is taken")
            self._tokens[token.id] = token
            self._ids[digest] = token.id
            self._changed()

    def token(self, digest: str) -> Token | None:
        with self._lock:
            return self._tokens.get(self._ids.get(digest, ""))

    def token_by_id(self, token_id: str) -> Token | None:
        with self._lock:
            return self._tokens.get(token_id)

    def tokens(self) -> list[Token]:
        with self._lock:
            return sorted(self._tokens.values(), key=lambda token: token.created_at, reverse=True)

    def revoke_token(self, token_id: str, at: float) -> None:
        with self._lock:
            token = self._tokens.get(token_id)
            if token is None:
                raise NotFound(f"there is no token {token_id!r}")
            if token.revoked_at is None:
                self._tokens[token_id] = evolve(token, revoked_at=at)
                self._changed()

    def used_tokens(self, uses: Mapping[str, float]) -> None:
        with self._lock:
            for token_id, at in uses.items():
                token = self._tokens.get(token_id)
                if token is not None:
                    last = max(at, token.last_used_at or at)
                    self._tokens[token_id] = evolve(token, last_used_at=last)

    def close(self) -> None:
        """Nothing is held."""

    def _changed(self) -> None:
        self._revision += 1
        for listener in self._listeners:
            listener()

    def _known_group(self, name: str) -> Group:
        group = self._groups.get(name)
        if group is None:
            raise NotFound(f"there is no group {name!r}")
        return group

    def _signing_in_as(self, user: str) -> list[Token]:
        owned = (TokenKind.PERSONAL, TokenKind.JOB)
        return [
            token
            for token in self._tokens.values()
            if token.kind in owned and token.username == user
        ]

    def _twin(self, token: Token) -> bool:
        return token.kind is TokenKind.DEPLOY and any(
            (held.kind, held.group, held.username) == (token.kind, token.group, token.username)
            for held in self._tokens.values()
        )

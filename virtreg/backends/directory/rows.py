"""Between the values of the directory and the rows of its tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from virtreg.core.identity import Group, Role, Token, TokenKind, TokenScope, User


def user_of(row: Row[Any]) -> User:
    return User(row.name, administrator=row.administrator, blocked=row.blocked)


def group_of(row: Row[Any]) -> Group:
    return Group(row.id, row.name, enabled=row.enabled)


def token_of(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        kind=TokenKind(row.kind),
        name=row.name,
        username=row.username,
        scopes=frozenset(TokenScope(scope) for scope in row.scopes.split()),
        created_at=row.created_at,
        group=row.group,
        role=None if row.role is None else Role(row.role),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def row_of(token: Token, digest: str) -> dict[str, Any]:
    return {
        "id": token.id,
        "digest": digest,
        "kind": token.kind.value,
        "name": token.name,
        "username": token.username,
        "scopes": " ".join(sorted(token.scopes)),
        "created_at": token.created_at,
        "group": token.group,
        "role": None if token.role is None else int(token.role),
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    }

"""Names that could be taken for each other: refused when the second one comes, since people and
logs tell callers apart by name alone. What is there already stays."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, func, or_, select

from virtreg.backends.directory.names import folded
from virtreg.backends.directory.schema import groups, tokens, users
from virtreg.core.identity import TokenKind
from virtreg.errors import Conflict

ROBOTS: Final = (TokenKind.GROUP, TokenKind.DEPLOY)
"""Tokens that sign in as no user."""


def fit_user(connection: Connection, name: str) -> None:
    """Raise Conflict, naming the other, when a new user could be taken for another one, or for
    what a good token signs in as."""
    _distinct(connection, users.c.name, name, "user")
    robots = (tokens.c.kind.in_([kind.value for kind in ROBOTS]), tokens.c.revoked_at.is_(None))
    other = _alike(connection, tokens.c.username, name, *robots)
    if other is not None:
        token_id = connection.scalar(
            select(tokens.c.id).where(tokens.c.username == other, *robots).limit(1)
        )
        raise Conflict(
            f"user {name!r}: token {token_id} signs in as {other!r}; revoke it, or choose another"
            " name"
        )


def fit_group(connection: Connection, name: str) -> None:
    """Raise Conflict, naming the other, when a new group could be taken for another one."""
    _distinct(connection, groups.c.name, name, "group")


def fit_robot(connection: Connection, username: str) -> None:
    """Raise Conflict, naming the user, when a token would sign in as what could be taken for
    one."""
    other = _alike(connection, users.c.name, username)
    if other is not None:
        raise Conflict(f"token username {username!r}: there is a user {other!r}")


def _distinct(connection: Connection, column: Column[Any], name: str, what: str) -> None:
    other = _alike(connection, column, name)
    if other == name:
        raise Conflict(f"there is a {what} {name!r} already")
    if other is not None:
        raise Conflict(
            f"{what} {name!r}: there is a {what} {other!r}, which differs in case or Unicode form"
            " alone"
        )


def _alike(
    connection: Connection, column: Column[Any], name: str, *conditions: ColumnElement[bool]
) -> str | None:
    """What is there that could be taken for ``name``: itself before others."""
    wanted = folded(name)
    # A database's lower() may be of ASCII alone: other names are all looked into.
    near = or_(func.lower(column) == wanted, column.regexp_match("[^ -~]"))
    statement = select(column).where(near, *conditions).order_by(column != name, column)
    found: str
    for found in connection.scalars(statement):
        if folded(found) == wanted:
            return found
    return None

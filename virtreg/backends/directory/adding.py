"""What must be there, and must not, before something is added."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, true

from virtreg.backends.directory.alike import ROBOTS, fit_robot
from virtreg.backends.directory.names import check_name, check_new_name, check_title
from virtreg.backends.directory.schema import groups, tokens, users
from virtreg.core.identity import Token, TokenKind
from virtreg.errors import Conflict, InvalidRequest, NotFound


def exists(connection: Connection, *conditions: ColumnElement[bool]) -> bool:
    """Whether some row meets them all."""
    return connection.scalar(select(true()).where(*conditions).limit(1)) is not None


def need_user(connection: Connection, name: str) -> None:
    """Raises NotFound."""
    if not exists(connection, users.c.name == name):
        raise NotFound(f"there is no user {name!r}")


def need_group(connection: Connection, name: str) -> None:
    """Raises NotFound."""
    if not exists(connection, groups.c.name == name):
        raise NotFound(f"there is no group {name!r}")


def check_token(token: Token) -> None:
    """Raise InvalidRequest for names that are none, and unless the token has exactly what its kind
    has: a group for GROUP and DEPLOY, a role for GROUP."""
    check_title(token.name, "token name")
    check = check_new_name if token.kind in ROBOTS else check_name
    check(token.username, "token username")
    if (token.group is not None) != (token.kind in ROBOTS):
        raise InvalidRequest(f"a {token.kind} token {_needs(token.group is None)} a group")
    if (token.role is not None) != (token.kind is TokenKind.GROUP):
        raise InvalidRequest(f"a {token.kind} token {_needs(token.role is None)} a role")


def fit_token(connection: Connection, token: Token, digest: str) -> None:
    """Raise NotFound unless the token's user or group is there, Conflict when its id, its digest or
    a deploy token's username in its group is taken, or a robot's username is a user's. That of a
    revoked token is free again."""
    if token.group is not None:
        need_group(connection, token.group)
        fit_robot(connection, token.username)
    else:
        need_user(connection, token.username)
    if exists(connection, tokens.c.id == token.id):
        raise Conflict(f"there is a token {token.id!r} already")
    if exists(connection, tokens.c.digest == digest):
        raise Conflict("there is a token with this secret already")
    same = (
        tokens.c.kind == TokenKind.DEPLOY.value,
        tokens.c.group == token.group,
        tokens.c.username == token.username,
        tokens.c.revoked_at.is_(None),
    )
    if token.kind is TokenKind.DEPLOY and exists(connection, *same):
        raise Conflict(
            f"there is a deploy token with the username {token.username!r} "
            f"in the group {token.group!r} already"
        )


def _needs(missing: bool) -> str:
    return "needs" if missing else "has not"

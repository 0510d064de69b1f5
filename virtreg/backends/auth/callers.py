"""From a token to who presents it."""

from __future__ import annotations

from virtreg.core.identity import Caller, Role, Token, TokenKind
from virtreg.protocols import Directory


def caller_of(directory: Directory, token: Token, now: float) -> Caller | None:
    """Who a token signs in as, with everything a permission hangs on; None when it is good for
    nobody: expired at this second, revoked, or of a user who is blocked or gone."""
    if not token.good(now):
        return None
    if token.kind in (TokenKind.GROUP, TokenKind.DEPLOY):
        role = token.role if token.kind is TokenKind.GROUP else Role.GUEST
        if token.group is None or role is None:
            return None
        reach = {token.group: role}
        return Caller(token.username, token.id, token.kind, token.scopes, reach)
    user = directory.user(token.username)
    if user is None or user.blocked:
        return None
    roles = directory.roles(user.name)
    return Caller(user.name, token.id, token.kind, token.scopes, roles, user.administrator)

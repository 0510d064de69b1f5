"""Which credential a request shows, of all the places where clients put one. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from attrs import field, frozen

from virtreg.backends.auth.schemes import parse_basic, parse_bearer, scheme
from virtreg.core.identity import Token, TokenKind
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials

JOB_USER: Final = "gitlab-ci-token"
"""The user name that every job token goes by in Basic."""

_EVERY: Final = frozenset(TokenKind)
_OWN: Final = frozenset({TokenKind.PERSONAL, TokenKind.GROUP})
_DEPLOY: Final = frozenset({TokenKind.DEPLOY})
_JOB: Final = frozenset({TokenKind.JOB})


@frozen
class Door:
    """One way in."""

    name: str
    """``private-token``, ``deploy-token``, ``job-token``, ``authorization``, ``basic``, ``bearer``,
    or the name of a query's parameter."""
    kinds: frozenset[TokenKind] = _EVERY
    """Tokens of other kinds do not come by it."""


Presented = tuple[Door, str]
"""A credential as it was sent, not looked into yet. Of ``Authorization`` the whole value."""

_HEADERS: Final = (
    ("HTTP_PRIVATE_TOKEN", Door("private-token", _OWN)),
    ("HTTP_DEPLOY_TOKEN", Door("deploy-token", _DEPLOY)),
    ("HTTP_JOB_TOKEN", Door("job-token", _JOB)),
)
_AUTHORIZATION: Final = Door("authorization")
_SCHEMES: Final = {name: Door(name) for name in ("basic", "bearer")}
_PARAMETERS: Final = (
    Door("private_token", _OWN),
    Door("job_token", _JOB),
    Door("access_token"),
)
_MOST_PARAMETERS: Final = 100


@frozen
class Shown:
    """A token, and whom it is said to be of."""

    door: Door
    secret: str = field(repr=False)
    username: str | None = field(default=None, repr=False)
    """None: the door asks for none."""

    def fits(self, token: Token) -> bool:
        """Whether this token comes by this door, under this user name."""
        if token.kind not in self.door.kinds:
            return False
        expected = JOB_USER if token.kind is TokenKind.JOB else token.username
        return self.username is None or self.username == expected


def presented(credentials: Credentials, *, query: bool = False) -> Presented | None:
    """The one credential that counts, None for none: the first of ``Private-Token``,
    ``Deploy-Token``, ``Job-Token`` and ``Authorization`` that is there and not empty. With
    ``query``, where there is no such header, the first of the query's parameters ``private_token``,
    ``job_token`` and ``access_token``."""
    environ = credentials.environ
    for key, door in _HEADERS:
        value = environ.get(key)
        if value:
            return door, value
    authorization = credentials.authorization
    if authorization and not authorization.isspace():
        return _AUTHORIZATION, authorization
    return _in_query(environ.get("QUERY_STRING", "")) if query else None


def _in_query(text: str) -> Presented | None:
    try:
        pairs = parse_qsl(text, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    first = dict(reversed(pairs))
    for door in _PARAMETERS:
        if door.name in first:
            return door, first[door.name]
    return None


def door_of(credential: Presented) -> Door:
    """The door, told apart by the scheme of ``Authorization``; it has no other name where that is
    neither Basic (RFC 7617) nor Bearer (RFC 6750)."""
    door, value = credential
    return _SCHEMES.get(scheme(value), door) if door is _AUTHORIZATION else door


def look_into(credential: Presented) -> Shown:
    """What the credential says. Raises Unauthenticated, without the value, where it is malformed
    or of another scheme."""
    door = door_of(credential)
    _, value = credential
    if door is _AUTHORIZATION:
        raise Unauthenticated("the credentials must use the Basic or the Bearer scheme")
    if door is _SCHEMES["basic"]:
        username, secret = parse_basic(value)
        return Shown(door, secret, username)
    secret = parse_bearer(value) if door is _SCHEMES["bearer"] else value.strip(" \t")
    return Shown(door, secret)

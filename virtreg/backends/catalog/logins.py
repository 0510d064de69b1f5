"""Which login an upstream has after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from virtreg.errors import Invalid
from virtreg.managed import ManagedUpstream
from virtreg.model import Secret, UpstreamSpec

_BLANK = "can't be blank"


@frozen
class StoredLogin:
    """``kept``: the password is the one that is stored already; ``password`` is then not told."""

    username: str | None = None
    password: Secret | None = None
    kept: bool = False


def login_of_new(fields: Mapping[str, Any]) -> StoredLogin:
    """Raises Invalid for half a login."""
    return _whole(fields.get("username") or None, _given(fields))


def login_after(before: UpstreamSpec, has_password: bool, fields: Mapping[str, Any]) -> StoredLogin:
    """What was meant for one URL is not sent to another: with a new URL both parts are given anew,
    or there is no login. A stored password is kept for its user alone. Raises Invalid for half a
    login."""
    given = _given(fields)
    if fields.get("url", before.url) != before.url:
        both = "username" in fields and given is not None
        return _whole(fields["username"] or None, given) if both else StoredLogin()
    username = fields.get("username", before.username) or None
    if given is None and username == before.username:
        return StoredLogin(username, kept=has_password)
    cleared = username is None and "password" in fields and given is None
    if username is None and has_password and not cleared:
        raise Invalid({"username": [_BLANK]})
    return _whole(username, given)


def refuse_twin(
    others: Iterable[ManagedUpstream],
    url: str,
    username: str | None,
    has_password: Callable[[ManagedUpstream], bool],
) -> None:
    """Raises Invalid when one of the others has the same URL and login, and what ``has_password``
    raises, which says whether it has the same password."""
    for other in others:
        spec = other.spec
        more = spec.bearer or spec.headers or spec.credential_command or spec.login_provided
        same = spec.url == url and spec.username == username and not more
        if same and has_password(other):
            raise Invalid({"group": ["already has an upstream with the same credentials"]})


def _given(fields: Mapping[str, Any]) -> Secret | None:
    password: Secret | None = fields.get("password")
    return password if password is not None and password.reveal() else None


def _whole(username: str | None, password: Secret | None) -> StoredLogin:
    if username is None and password is not None:
        raise Invalid({"username": [_BLANK]})
    if username is not None and password is None:
        raise Invalid({"password": [_BLANK]})
    return StoredLogin(username, password)

"""Between what a token means and its claims (RFC 7519, 4; Docker Registry token authentication,
"Requesting a Token")."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from virtreg.backends.auth.anonymous import ANONYMOUS
from virtreg.backends.auth.grants.granted import Granted
from virtreg.model import Principal

_T = TypeVar("_T")


def common_claims(principal: Principal, issued_at: int, seconds: int) -> dict[str, object]:
    """Who, from when, and until when; with an id of its own. The subject is empty for nobody, as
    the token service's specification has it."""
    return {
        "sub": "" if principal == ANONYMOUS else principal.name,
        "token": principal.token_id,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + seconds,
        "jti": secrets.token_hex(16),
    }


def access_claim(access: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    return [
        {"type": "repository", "registry": registry, "name": repository, "actions": ["pull"]}
        for registry, repository in sorted(access)
    ]


def read_grant(kid: str, claims: Mapping[str, Any]) -> Granted:
    """Of claims that the key ``kid`` signed. Raises ValueError where they are no grant's."""
    return Granted(
        read_principal(claims),
        frozenset(_pair(entry) for entry in _as(list, claims.get("access"))),
        _as(int, claims.get("exp")),
        _as(str, claims.get("jti")),
        kid,
    )


def read_principal(claims: Mapping[str, Any]) -> Principal:
    """Raises ValueError."""
    name, token_id = _as(str, claims.get("sub")), claims.get("token")
    if token_id is not None:
        token_id = _as(str, token_id)
    return Principal(name, token_id) if name or token_id else ANONYMOUS


def _pair(entry: object) -> tuple[str, str]:
    fields = _as(dict, entry)
    if fields.get("type") != "repository" or fields.get("actions") != ["pull"]:
        raise ValueError("not a grant to pull")
    return _as(str, fields.get("registry")), _as(str, fields.get("name"))


def _as(kind: type[_T], value: object) -> _T:
    if not isinstance(value, kind):
        raise ValueError(f"not a {kind.__name__}")
    return value

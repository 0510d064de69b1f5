"""Signed texts: JSON Web Tokens (RFC 7519) of two kinds, under the rules of RFC 8725.

The key fixes the algorithm. A header holds ``alg``, ``kid`` and ``typ`` and nothing else, so no
token brings a key along; ``typ`` tells the kinds apart, and our tokens from those of others.
"""

from __future__ import annotations

import base64
import enum
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import jwt
from jwt.types import Options

from virtreg.backends.auth.grants.granted import LEEWAY, MOST_SECONDS, REFRESH_SECONDS
from virtreg.backends.auth.grants.keys import Keys
from virtreg.errors import InvalidRequest, Unauthenticated

MAX_LENGTH: Final = 8000
"""Characters: what common servers take in one header line."""

_ALGORITHM: Final = "ES256"
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{1,500})\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
# The times are compared here, by the clock that was given.
_OPTIONS: Final[Options] = {
    "require": list(_REQUIRED),
    "strict_aud": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Kind(enum.StrEnum):
    """What a token is for; the value is its ``typ`` (RFC 8725, 3.11)."""

    GRANT = "virtreg-grant+jwt"
    REFRESH = "virtreg-refresh+jwt"


_LONGEST: Final = {Kind.GRANT: MOST_SECONDS, Kind.REFRESH: REFRESH_SECONDS}
"""Seconds that a token may have left: whoever gets hold of a key makes none for ever."""


class WebTokens:
    """Signs and verifies for one service, which is issuer and audience. Thread-safe."""

    def __init__(self, keys: Keys, service: str) -> None:
        self._keys = keys
        self._service = service

    def sign(self, kind: Kind, claims: Mapping[str, object]) -> str:
        """Raises InvalidRequest when the text becomes longer than headers may be."""
        key = self._keys.newest()
        text = jwt.encode(
            {**claims, "iss": self._service, "aud": self._service},
            key.private,
            algorithm=_ALGORITHM,
            headers={"typ": kind.value, "kid": key.kid},
        )
        if len(text) > MAX_LENGTH:
            raise InvalidRequest(
                "the token for so many repositories would be too long: ask for fewer at once"
            )
        return text

    def knows(self, kid: str) -> bool:
        """Whether a token that was verified by this key would be so again. Cheap."""
        return self._keys.find(kid) is not None

    def verify(self, kind: Kind, text: str, now: float) -> tuple[str, dict[str, Any]]:
        """The ``kid`` of the key that signed it, and the claims. Raises Unauthenticated, with the
        reason ``invalid_token``, and nothing else for any text."""
        header = _header(text)
        shown = _kind(header)
        if shown is not None and shown is not kind:
            raise invalid(f"this is a {shown.name.lower()} token, not a {kind.name.lower()} token")
        kid = header.get("kid")
        if not isinstance(kid, str) or header != {"alg": _ALGORITHM, "kid": kid, "typ": kind.value}:
            raise invalid("the token is not one of this service")
        key = self._keys.find(kid)
        if key is None:
            raise invalid("the token was signed with a key that is not known any more")
        try:
            claims = jwt.decode(
                text,
                key.public,
                algorithms=[_ALGORITHM],
                audience=self._service,
                issuer=self._service,
                options=_OPTIONS,
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            # The cause may show parts of the token.
            raise invalid("the token is not one of this service") from None
        _check_times(claims, now, _LONGEST[kind])
        return kid, claims


def is_ours(text: str) -> bool:
    """Whether a text says to be a token of one of the kinds, good or not."""
    return _kind(_header(text)) is not None


def invalid(message: str) -> Unauthenticated:
    return Unauthenticated(message, reason="invalid_token")


def _header(text: str) -> Mapping[str, object]:
    """As the text says; empty when it is no token at all."""
    match = _TOKEN.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        return {}
    encoded = match[1]
    try:
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _kind(header: Mapping[str, object]) -> Kind | None:
    typ = header.get("typ")
    return next((kind for kind in Kind if kind.value == typ), None)


def _check_times(claims: Mapping[str, object], now: float, longest: int) -> None:
    expires_at, not_before = claims["exp"], claims["nbf"]
    if type(expires_at) is not int or type(not_before) is not int:
        raise invalid("the token is not one of this service")
    if now >= expires_at + LEEWAY:
        raise invalid("the token has expired")
    if expires_at > now + longest + LEEWAY:
        raise invalid("the token is good for longer than this service gives any")
    if now < not_before - LEEWAY:
        raise invalid("the token is not valid yet: do the clocks differ?")

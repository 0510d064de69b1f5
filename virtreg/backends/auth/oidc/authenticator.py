"""Tokens of an identity provider, or of a CI system that signs one for each job."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import jwt
from attrs import frozen

from virtreg.backends.auth.oidc.claims import check_required, check_times, principal_name
from virtreg.backends.auth.oidc.issuer import Issuer
from virtreg.backends.auth.oidc.keys import KeyName
from virtreg.backends.auth.oidc.ring import KeyRing, Keys
from virtreg.backends.auth.pulling import need_pull
from virtreg.backends.auth.schemes import parse_basic, parse_bearer, scheme
from virtreg.backends.auth.verified import Verified
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope

_LONGEST: Final = 16 * 1024
_LEEWAY: Final = 60.0
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_OPTIONS: Final[Any] = {
    "require": ["exp", "iat", "iss", "aud"],
    # By the clock that was given.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


@frozen
class _Known:
    principal: Principal
    until: float
    keys: Keys
    """A token is verified again when the issuer changes its keys."""


class JwksAuthenticator:
    """Admits whoever shows a JWT (RFC 7519) that ``issuer`` signed for ``audience``, to pull from
    every registry.

    ``managing``: also to manage registries, all of them; for use in
    :class:`~virtreg.backends.auth.members.Members`, which goes by their roles. Otherwise they may
    pull and nothing else.

    It comes as a bearer token, or as the password of HTTP Basic for clients that know nothing else,
    whatever the user name there. The principal's name is the claim ``name_claim``. ``required``
    claims must have these values, or be lists that hold them: where an issuer signs for everybody,
    as a public CI service does, nothing else says whose token it is.

    The key is found by ``kid`` and verifies its own algorithm alone: RS256 and its relatives, or
    ES256 and its relatives. Keys are found as OpenID Connect Discovery 1.0 has it and renewed as
    :class:`~virtreg.backends.auth.oidc.ring.KeyRing` does, on the thread of a request. Clocks may
    differ by a minute. Tokens are remembered until they end, by a digest, up to ``remembered``.

    ``clock`` gives seconds since the epoch, ``steady`` seconds that never run backwards. Raises
    ConfigError for an issuer that cannot be used. Thread-safe.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        name_claim: str = "sub",
        required: Mapping[str, str] = MappingProxyType({}),
        allow_private: tuple[str, ...] = (),
        ca_file: str | None = None,
        remembered: int = 1024,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        managing: bool = False,
    ) -> None:
        self._managing = managing
        self._issuer = issuer
        self._audience = audience
        self._name_claim = name_claim
        self._required = dict(required)
        self._clock = clock
        source = Issuer(issuer, allow_private=allow_private, ca_file=ca_file)
        self._ring = KeyRing(source.fetch, steady)
        self._verified = Verified[_Known](remembered)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        """Raises Unauthenticated with the reason, and SignInUnavailable, a 503, while the issuer's
        keys cannot be had."""
        need_pull(scope, managing=self._managing)
        text = _shown(credentials.authorization)
        fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(fingerprint)
        if known is not None and known.keys is self._ring.current() and self._clock() < known.until:
            return known.principal
        name = _key_name(text)
        keys = self._ring.current_with(name)
        key = keys.get(name)
        if key is None:
            raise Unauthenticated("the token is not signed with a key of the issuer")
        claims = self._decode(text, key)
        until = check_times(claims, self._clock(), _LEEWAY)
        check_required(claims, self._required)
        principal = Principal(principal_name(claims, self._name_claim))
        self._verified.add(fingerprint, _Known(principal, until, keys))
        return principal

    def _decode(self, text: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                text,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                options=_OPTIONS,
            )
        except jwt.InvalidAudienceError:
            reason = "the token is for another audience"
        except jwt.InvalidIssuerError:
            reason = "the token is of another issuer"
        except jwt.MissingRequiredClaimError as error:
            reason = f"the token has no {error.claim}"
        except jwt.InvalidSignatureError:
            reason = "the token's signature is wrong"
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            reason = "the token is malformed"
        # The cause may hold the token.
        raise Unauthenticated(reason)


def _shown(header: str | None) -> str:
    """The token a header shows."""
    if header is None:
        raise Unauthenticated("a token of the identity provider is needed")
    text = parse_basic(header)[1] if scheme(header) == "basic" else parse_bearer(header)
    if len(text) > _LONGEST:
        raise Unauthenticated("the token is too long")
    return text


def _key_name(text: str) -> KeyName:
    try:
        told = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("the credentials are no token of the identity provider") from None
    kid, algorithm, kind = told.get("kid"), told.get("alg"), told.get("typ", "JWT")
    if not isinstance(kid, str) or not isinstance(algorithm, str):
        raise Unauthenticated("the token names no key")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise Unauthenticated("the token is of a kind that signs nobody in")
    return kid, algorithm

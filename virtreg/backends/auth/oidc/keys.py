"""The keys an issuer publishes (RFC 7517), each with the one algorithm it may verify."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_LEAST_RSA_BITS: Final = 2048
_MOST_KEYS: Final = 100

KeyName = tuple[str, str]
"""``kid`` and ``alg``, as the header of a token names its key."""


def parse_keys(document: bytes) -> dict[KeyName, PyJWK]:
    """The usable public keys of a JWK set, the first 100 of them.

    Left out (RFC 7517, 5): keys without ``kid``, for encryption, symmetric, private, RSA of fewer
    than 2048 bits, of other types, or malformed. An RSA key that names no algorithm is for RS256.
    Raises ValueError when the document is no JWK set.
    """
    try:
        parsed = json.loads(document)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON object with a list of keys")
    found: dict[KeyName, PyJWK] = {}
    for jwk in listed[:_MOST_KEYS]:
        algorithm = _algorithm(jwk) if isinstance(jwk, dict) else None
        key = None if algorithm is None else _typed(jwk, algorithm)
        if key is not None and algorithm is not None:
            found.setdefault((jwk["kid"], algorithm), key)
    return found


def _algorithm(jwk: Mapping[str, Any]) -> str | None:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid or "d" in jwk or jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("kty") == "RSA":
        told = jwk.get("alg", "RS256")
        return told if isinstance(told, str) and told in _RSA else None
    if jwk.get("kty") == "EC":
        curve = jwk.get("crv")
        fixed = _CURVES.get(curve) if isinstance(curve, str) else None
        return fixed if jwk.get("alg", fixed) == fixed else None
    return None


def _typed(jwk: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key.key, RSAPublicKey):
        return key if key.key.key_size >= _LEAST_RSA_BITS else None
    return key if isinstance(key.key, EllipticCurvePublicKey) else None

"""An identity provider: a real server with keys of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from virtreg.testing.origin import Origin

CONFIGURATION = ".well-known/openid-configuration"
KEYS = "keys"
AUDIENCE = "virtreg"
NOW = 1_800_000_000.0

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey
RSA = generate_rsa(65537, 2048)
OTHER_RSA = generate_rsa(65537, 2048)
EC = generate_private_key(SECP256R1())


def public(key: PrivateKey, kid: str | None, **more: Any) -> dict[str, Any]:
    """The JWK of a key's public half."""
    if isinstance(key, RSAPrivateKey):
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **({} if kid is None else {"kid": kid}), **more}


class Provider:
    """A context manager. It publishes ``rsa`` (RS256) and ``ec`` (ES256) until told otherwise."""

    def __init__(self) -> None:
        self.origin = Origin()
        self.issuer = self.origin.url
        self.configure({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/{KEYS}"})
        self.publish(public(RSA, "rsa"), public(EC, "ec", alg="ES256", use="sig"))

    def configure(self, document: Any, **behaviours: Any) -> None:
        self.origin.put(CONFIGURATION, json.dumps(document).encode(), **behaviours)

    def publish(self, *jwks: Mapping[str, Any], **behaviours: Any) -> None:
        self.origin.put(KEYS, json.dumps({"keys": jwks}).encode(), **behaviours)

    @property
    def asked(self) -> int:
        """How often its keys were fetched."""
        return self.origin.count(KEYS)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good ones for ann; a change to None leaves the claim out."""
        told = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "ann",
            "iat": int(NOW),
            "exp": int(NOW) + 300,
            **changes,
        }
        return {name: value for name, value in told.items() if value is not None}

    def token(
        self,
        kid: str | None = "rsa",
        key: PrivateKey = RSA,
        headers: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        algorithm = "RS256" if isinstance(key, RSAPrivateKey) else "ES256"
        named = {**({} if kid is None else {"kid": kid}), **(headers or {})}
        return jwt.encode(self.claims(**changes), key, algorithm, headers=named)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.origin.close()

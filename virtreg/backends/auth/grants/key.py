"""One signing key: ECDSA on P-256 with SHA-256, ES256 (RFC 7518, 3.4)."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cached_property

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric import ec


@frozen
class Key:
    number: int
    """Of its file; higher is newer."""
    created_at: float
    private: ec.EllipticCurvePrivateKey = field(repr=False, eq=False)
    kid: str = field(init=False)
    """The thumbprint of the public key (RFC 7638)."""

    @cached_property
    def public(self) -> ec.EllipticCurvePublicKey:
        return self.private.public_key()

    @kid.default
    def _thumbprint(self) -> str:
        numbers = self.private.public_key().public_numbers()
        members = {"crv": "P-256", "kty": "EC", "x": _octets(numbers.x), "y": _octets(numbers.y)}
        text = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return _base64url(hashlib.sha256(text.encode()).digest())


def _octets(coordinate: int) -> str:
    return _base64url(coordinate.to_bytes(32))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()

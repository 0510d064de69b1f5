"""One signing key: ECDSA on P-256 with SHA-256, ES256 (RFC 7518, 3.4), and as it is kept."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cached_property
from typing import Final

from attrs import field, frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

MOST_BYTES: Final = 10_000
"""Of a key as it is kept."""


@frozen
class Key:
    number: int
    """Higher is newer."""
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


def new_key(now: float) -> str:
    """A key that nobody has, as it is kept: JSON."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return json.dumps({"created_at": int(now), "private_key": pem.decode()})


def parse_key(number: int, content: bytes | str) -> Key:
    """What ``new_key`` made. Raises ValueError for anything else, quoting none of it."""
    try:
        return _parsed(number, content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UnsupportedAlgorithm):
        # The cause may show parts of the key.
        raise ValueError("not a signing key") from None


def _parsed(number: int, content: bytes | str) -> Key:
    if len(content) > MOST_BYTES:
        raise ValueError("too long")
    document = json.loads(content)
    created_at, pem = document["created_at"], document["private_key"]
    if type(created_at) is not int:
        raise TypeError("created_at")
    private = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise ValueError("another algorithm")
    return Key(number, created_at, private)


def _octets(coordinate: int) -> str:
    return _base64url(coordinate.to_bytes(32))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()

"""Tokens as nobody should make them, signed all the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Sign = Callable[[bytes], bytes]


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def opened(text: str) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims, unverified."""
    header, claims, _ = text.split(".")
    return json.loads(decode(header)), json.loads(decode(claims))


def forge(header: object, claims: object, sign: Sign) -> str:
    return forge_raw(json.dumps(header).encode(), json.dumps(claims).encode(), sign)


def forge_raw(header: bytes, claims: bytes, sign: Sign) -> str:
    signed = f"{encode(header)}.{encode(claims)}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def es256(key: ec.EllipticCurvePrivateKey) -> Sign:
    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    return sign


def hs256(secret: bytes) -> Sign:
    return lambda message: hmac.digest(secret, message, hashlib.sha256)


def unsigned(message: bytes) -> bytes:
    return b""


def without(mapping: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in mapping.items() if key != name}

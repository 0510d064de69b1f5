from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from tests.backends.auth.oidc.provider import EC, RSA, public
from virtreg.backends.auth.oidc.keys import parse_keys


def parse(*jwks: Any) -> list[tuple[str, str]]:
    return sorted(parse_keys(json.dumps({"keys": jwks}).encode()))


def test_each_key_has_one_algorithm() -> None:
    p384 = generate_private_key(SECP384R1())
    assert parse(
        public(RSA, "a"), public(RSA, "b", alg="PS512"), public(EC, "c"), public(p384, "d")
    ) == [("a", "RS256"), ("b", "PS512"), ("c", "ES256"), ("d", "ES384")]


def test_one_name_may_have_keys_of_two_kinds() -> None:
    assert parse(public(RSA, "a"), public(EC, "a")) == [("a", "ES256"), ("a", "RS256")]


def test_a_key_keeps_its_algorithm() -> None:
    (key,) = parse_keys(json.dumps({"keys": [public(EC, "c")]}).encode()).values()
    token = jwt.encode({}, EC, "ES256")
    assert jwt.decode(token, key, algorithms=[key.algorithm_name]) == {}


@pytest.mark.parametrize(
    "jwk",
    [
        public(RSA, None),
        public(RSA, ""),
        public(RSA, "a", use="enc"),
        public(RSA, "a", alg="HS256"),
        public(RSA, "a", alg="none"),
        public(RSA, "a", alg="ES256"),
        public(RSA, "a", alg=["RS256"]),
        public(EC, "a", alg="RS256"),
        public(EC, "a", crv="P-384"),
        public(EC, "a", crv=["P-256"]),
        public(EC, "a", x="AAAA"),
        public(RSA, "a", n="!"),
        public(RSA, "a", n=1),
        {"kty": "RSA", "kid": "a"},
        {"kty": "EC", "crv": "P-256", "kid": "a"},
        {"kty": "oct", "kid": "a", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "alg": "HS256"},
        {"kty": "unheard-of", "kid": "a"},
        {**RSAAlgorithm.to_jwk(RSA, as_dict=True), "kid": "a"},
        public(generate_rsa(65537, 1024), "a"),
        "text",
        None,
    ],
)
def test_what_cannot_verify_is_left_out(jwk: Any) -> None:
    assert parse(jwk, public(EC, "good")) == [("good", "ES256")]


def test_keys_are_counted() -> None:
    assert len(parse(*(public(EC, f"{number}") for number in range(200)))) == 100


@pytest.mark.parametrize(
    "document", [b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the cause may be of json
        parse_keys(document)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(
    st.sampled_from([public(RSA, "a"), public(EC, "a")]),
    st.dictionaries(st.sampled_from(["kty", "kid", "n", "e", "x", "y", "crv", "alg"]), _VALUES),
)
def test_odd_members_never_break_the_others(jwk: dict[str, Any], changes: dict[str, Any]) -> None:
    assert ("good", "ES256") in parse({**jwk, **changes}, public(EC, "good"))

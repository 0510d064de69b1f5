"""Tokens that were not issued here, however well they are made (RFC 8725)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from tests.backends.auth.grants.forging import (
    Sign,
    decode,
    encode,
    es256,
    forge,
    forge_raw,
    hs256,
    opened,
    unsigned,
    without,
)
from virtreg.backends.auth.grants import Grants, Keys
from virtreg.backends.auth.grants.webtokens import MAX_LENGTH
from virtreg.errors import Unauthenticated
from virtreg.model import Principal
from virtreg.testing.fakes import FakeClock

ANN = Principal("ann", "17")
MALLORY = ec.generate_private_key(ec.SECP256R1())
JsonObject = dict[str, object]


@pytest.fixture
def header(grants: Grants) -> JsonObject:
    return opened(grants.issue(ANN, {("hub", "app")}).text)[0]


@pytest.fixture
def claims(grants: Grants) -> JsonObject:
    return opened(grants.issue(ANN, {("hub", "app")}).text)[1]


@pytest.fixture
def sign(keys: Keys) -> Sign:
    """As the service signs: what is refused then is refused for what it says."""
    return es256(keys.newest().private)


def refused(grants: Grants, text: str) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        grants.verify(text)
    assert refusal.value.reason == "invalid_token"
    segments = [segment for segment in text.split(".") if len(segment) > 8]
    assert not any(segment in str(refusal.value) for segment in segments)
    return refusal.value.message


def test_a_faithful_copy_is_good(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign
) -> None:
    assert grants.verify(forge(header, claims, sign)).principal == ANN


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 0])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_no_algorithm_is_refused(
    grants: Grants,
    header: JsonObject,
    claims: JsonObject,
    sign: Sign,
    algorithm: object,
    signed: bool,
) -> None:
    text = forge({**header, "alg": algorithm}, claims, sign if signed else unsigned)
    assert "not one of this service" in refused(grants, text)


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.X962, PublicFormat.UncompressedPoint),
    ],
    ids=["pem", "der", "point"],
)
def test_the_public_key_is_no_secret(
    grants: Grants,
    keys: Keys,
    header: JsonObject,
    claims: JsonObject,
    algorithm: str,
    encoding: Encoding,
    form: PublicFormat,
) -> None:
    public = keys.newest().public.public_bytes(encoding, form)
    refused(grants, forge({**header, "alg": algorithm}, claims, hs256(public)))


@pytest.mark.parametrize("algorithm", ["HS256", "ES384", "ES512", "ES256K", "RS256", "EdDSA"])
def test_other_algorithms_are_refused_even_with_a_good_signature(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign, algorithm: str
) -> None:
    text = forge({**header, "alg": algorithm}, claims, sign)
    assert "not one of this service" in refused(grants, text)


def test_a_foreign_key_under_a_known_kid_is_refused(
    grants: Grants, header: JsonObject, claims: JsonObject
) -> None:
    assert "not one of this service" in refused(grants, forge(header, claims, es256(MALLORY)))


@pytest.mark.parametrize(
    "kid",
    ["other", "", "../../keys/000001.json", "000001", "' OR 1=1 --", None, 1, ["a"], {"a": 1}],
)
def test_other_kids_are_refused_even_with_a_good_signature(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign, kid: object
) -> None:
    refused(grants, forge({**header, "kid": kid}, claims, sign))
    refused(grants, forge(without(header, "kid"), claims, sign))


def test_a_key_that_the_token_brings_along_is_not_used(
    grants: Grants, header: JsonObject, claims: JsonObject
) -> None:
    jwk = ECAlgorithm.to_jwk(MALLORY.public_key(), as_dict=True)
    tricks: list[JsonObject] = [
        {"jwk": jwk},
        {"jwk": jwk, "kid": "mine"},
        {"jku": "https://mallory.example/keys"},
        {"x5u": "https://mallory.example/chain"},
        {"x5c": ["MIIB"]},
    ]
    for trick in tricks:
        refused(grants, forge({**header, **trick}, claims, es256(MALLORY)))


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"unknown": None},
    ],
    ids=json.dumps,
)
def test_header_fields_besides_the_three_are_refused_even_with_a_good_signature(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign, extra: JsonObject
) -> None:
    refused(grants, forge({**header, **extra}, claims, sign))


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "VIRTREG-GRANT+JWT", "", None, 1, ["JWT"]])
def test_tokens_of_another_type_are_refused_and_not_recognized(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign, typ: object
) -> None:
    text = forge({**header, "typ": typ}, claims, sign)
    refused(grants, text)
    assert not grants.recognizes(text)


CHANGES: Mapping[str, Callable[[float], JsonObject]] = {
    "another audience": lambda now: {"aud": "other.example"},
    "several audiences": lambda now: {"aud": ["images.example"]},
    "no audience": lambda now: {"aud": None},
    "another issuer": lambda now: {"iss": "other.example"},
    "part of the issuer": lambda now: {"iss": "images"},
    "no issuer": lambda now: {"iss": None},
    "expired": lambda now: {"exp": int(now) - 60},
    "no end": lambda now: {"exp": None},
    "an end in text": lambda now: {"exp": str(int(now) + 300)},
    "an end that is no integer": lambda now: {"exp": now + 300.5},
    "an end that is no number": lambda now: {"exp": float("nan")},
    "an end after years": lambda now: {"exp": int(now) + 10**8},
    "an end after two days": lambda now: {"exp": int(now) + 2 * 86_400},
    "an endless end": lambda now: {"exp": float("inf")},
    "a true end": lambda now: {"exp": True},
    "from the future": lambda now: {"nbf": int(now) + 61},
    "a beginning in text": lambda now: {"nbf": "0"},
    "no id": lambda now: {"jti": None},
    "an id that is a number": lambda now: {"jti": 5},
    "no subject": lambda now: {"sub": None},
    "a subject that is a number": lambda now: {"sub": 5},
    "a token id that is a number": lambda now: {"token": 5},
    "no access": lambda now: {"access": None},
    "access in text": lambda now: {"access": "all"},
    "access to everything": lambda now: {"access": ["*"]},
    "access to push": lambda now: {
        "access": [{"type": "repository", "registry": "hub", "name": "app", "actions": ["push"]}]
    },
    "access to no registry": lambda now: {
        "access": [{"type": "repository", "name": "app", "actions": ["pull"]}]
    },
    "access to another type": lambda now: {
        "access": [{"type": "registry", "registry": "hub", "name": "app", "actions": ["pull"]}]
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_claims_out_of_order_are_refused_even_with_a_good_signature(
    grants: Grants,
    header: JsonObject,
    claims: JsonObject,
    sign: Sign,
    clock: FakeClock,
    change: Callable[[float], JsonObject],
) -> None:
    refused(grants, forge(header, {**claims, **change(clock())}, sign))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"])
def test_no_claim_may_be_missing(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign, name: str
) -> None:
    refused(grants, forge(header, without(claims, name), sign))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"5", b'"a"', b"{", b"\xff", b"[" * 4000, b'{"exp":1e999}']
)
def test_content_that_is_no_object_is_refused_even_with_a_good_signature(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign, content: bytes
) -> None:
    refused(grants, forge_raw(json.dumps(header).encode(), content, sign))
    refused(grants, forge_raw(content, json.dumps(claims).encode(), sign))


def test_a_header_that_is_hard_to_read_is_refused(
    grants: Grants, claims: JsonObject, sign: Sign
) -> None:
    for content in (b"[" * 370, b'{"alg":' * 50, b'{"kid":' + b"9" * 360 + b"}"):
        refused(grants, forge_raw(content, json.dumps(claims).encode(), sign))


def test_oversize_texts_are_refused_unread(
    grants: Grants, header: JsonObject, claims: JsonObject, sign: Sign
) -> None:
    text = forge(header, {**claims, "padding": "x" * MAX_LENGTH}, sign)
    assert "not one of this service" in refused(grants, text)
    refused(grants, forge({**header, "padding": "x" * 400}, claims, sign))
    assert not grants.recognizes("x" * 10_000_000)


def test_every_changed_character_is_noticed(grants: Grants) -> None:
    text = grants.issue(ANN, {("hub", "app")}).text
    for at in range(0, len(text), 7):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        refused(grants, changed)


def test_good_tokens_that_are_spelled_otherwise_are_refused(grants: Grants) -> None:
    text = grants.issue(ANN, {("hub", "app")}).text
    content, _, signature = text.rpartition(".")
    for spelling in (
        "",
        signature[:-1],
        signature + "=",
        signature + "A",
        encode(b"\0" * 64),
        encode(b"\0" + decode(signature)),
        encode(decode(signature)[:32]),
    ):
        refused(grants, f"{content}.{spelling}")
    for spelling in (f" {text}", f"{text}\n", f"{text} ", text.replace(".", "..", 1)):
        refused(grants, spelling)


def test_refused_texts_are_not_remembered_as_good(
    grants: Grants, header: JsonObject, claims: JsonObject
) -> None:
    text = forge(header, claims, es256(MALLORY))
    for _ in range(3):
        refused(grants, text)

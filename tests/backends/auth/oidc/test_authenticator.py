from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jwt
import pytest
from attrs import define
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode

from tests.backends.auth.oidc.provider import AUDIENCE, EC, NOW, OTHER_RSA, RSA, Provider, public
from virtreg.backends.auth.oidc import JwksAuthenticator
from virtreg.backends.auth.unavailable import SignInUnavailable
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.testing.authenticators import AuthenticatorSuite

SCOPE = Scope("registry", "a/b")


@define
class Time:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


def bearer(token: str) -> Credentials:
    return Credentials(f"Bearer {token}")


def as_password(token: str, user: str = "anybody") -> Credentials:
    return Credentials("Basic " + base64.b64encode(f"{user}:{token}".encode()).decode())


def authenticator(provider: Provider, time: Time | None = None, **more: Any) -> JwksAuthenticator:
    clock = time or Time()
    return JwksAuthenticator(
        provider.issuer,
        AUDIENCE,
        allow_private=("127.0.0.0/8",),
        clock=clock,
        steady=clock,
        **more,
    )


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


class TestJwks(AuthenticatorSuite):
    @pytest.fixture(autouse=True)
    def running(self, provider: Provider) -> None:
        self.provider = provider

    def make_authenticator(self) -> Authenticator:
        return authenticator(self.provider)

    def admitted(self) -> Sequence[Credentials]:
        return [
            bearer(self.provider.token()),
            bearer(self.provider.token("ec", EC)),
            as_password(self.provider.token()),
        ]

    def refused(self) -> Sequence[Credentials]:
        return [
            Credentials(),
            bearer(self.provider.token(exp=int(NOW) - 60)),
            as_password(self.provider.token(aud="other")),
        ]


@pytest.mark.parametrize("show", [bearer, as_password])
@pytest.mark.parametrize(("kid", "key"), [("rsa", RSA), ("ec", EC)])
def test_the_principal_is_the_subject(provider: Provider, show: Any, kid: str, key: Any) -> None:
    credentials = show(provider.token(kid, key))
    assert authenticator(provider).admit(credentials, SCOPE) == Principal("ann")


def test_another_claim_may_name_the_principal(provider: Provider) -> None:
    credentials = bearer(provider.token(email="ann@example.org"))
    named = authenticator(provider, name_claim="email")
    assert named.admit(credentials, SCOPE) == Principal("ann@example.org")


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt"])
@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_usual_spellings_are_good(provider: Provider, kind: str | None, audience: Any) -> None:
    credentials = bearer(provider.token(headers={"typ": kind}, aud=audience))
    assert authenticator(provider).admit(credentials, SCOPE) == Principal("ann")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://id.example.org"}, "another issuer"),
        ({"iss": None}, "no iss"),
        ({"aud": "other"}, "another audience"),
        ({"aud": ["other"]}, "another audience"),
        ({"aud": {"virtreg": 1}}, "another audience"),
        ({"aud": None}, "no aud"),
        ({"exp": None}, "no exp"),
        ({"exp": int(NOW) - 60}, "expired"),
        ({"exp": "soon"}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"exp": float("inf")}, "exp is no time"),
        ({"iat": None}, "no iat"),
        ({"iat": int(NOW) + 61}, "not good yet"),
        ({"iat": "x"}, "iat is no time"),
        ({"nbf": int(NOW) + 61}, "not good yet"),
        ({"nbf": []}, "nbf is no time"),
        ({"sub": None}, "sub names nobody"),
        ({"sub": ""}, "sub names nobody"),
        ({"sub": 7}, "malformed"),
        ({"sub": "a\nb"}, "sub names nobody"),
        ({"sub": "a" * 256}, "sub names nobody"),
    ],
)
def test_claims_that_let_nobody_in(
    provider: Provider, changes: Mapping[str, Any], reason: str
) -> None:
    credentials = bearer(provider.token(**changes))
    with pytest.raises(Unauthenticated, match=reason):
        authenticator(provider).admit(credentials, SCOPE)


@pytest.mark.parametrize(("early", "late"), [(-60, 59)])
def test_clocks_may_differ_by_a_minute(provider: Provider, early: int, late: int) -> None:
    credentials = bearer(provider.token(exp=int(NOW)))
    for now in (NOW + early, NOW + late):
        principal = authenticator(provider, Time(now)).admit(credentials, SCOPE)
        assert principal == Principal("ann")


def forged(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return b".".join(map(base64url_encode, parts)).decode()


def test_a_token_that_signs_itself_is_refused(provider: Provider) -> None:
    claims = provider.claims()
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for header in (
        {"alg": "none", "kid": "rsa"},
        {"alg": "None", "kid": "rsa"},
        {"alg": "HS256", "kid": "rsa"},
        {"alg": "RS512", "kid": "rsa"},
        {"alg": "ES256", "kid": "rsa"},
        {"alg": "RS256", "kid": "rsa"},
        {"alg": "RS256", "kid": "own", "jwk": public(OTHER_RSA, "own")},
        {"alg": "RS256", "kid": ["rsa"]},
        {"alg": ["RS256"], "kid": "rsa"},
        {"alg": "RS256"},
        {"kid": "rsa"},
    ):
        for signature in (b"", pem, b"\0" * 256):
            with pytest.raises(Unauthenticated):
                authenticator(provider).admit(bearer(forged(header, claims, signature)), SCOPE)
    for headers in ({}, {"jwk": public(OTHER_RSA, "rsa")}, {"jku": f"{provider.issuer}/mine"}):
        own = provider.token(key=OTHER_RSA, headers=headers)
        with pytest.raises(Unauthenticated, match="signature is wrong"):
            authenticator(provider).admit(bearer(own), SCOPE)
    assert provider.origin.count("mine") == 0


@pytest.mark.parametrize("headers", [{"typ": "logout+jwt"}, {"typ": 7}, {"crit": ["x"], "x": 1}])
def test_a_token_of_another_kind_is_refused(provider: Provider, headers: Any) -> None:
    token = jwt.encode(provider.claims(), RSA, "RS256", headers={"kid": "rsa", **headers})
    with pytest.raises(Unauthenticated):
        authenticator(provider).admit(bearer(token), SCOPE)


def test_a_token_beyond_measure_is_refused_unread(provider: Provider) -> None:
    with pytest.raises(Unauthenticated, match="too long"):
        authenticator(provider).admit(bearer(provider.token(groups="g" * 20_000)), SCOPE)
    assert provider.origin.requests == []


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"owner": "us", "groups": ["a", "b"]}, True),
        ({"owner": "us", "groups": "b"}, True),
        ({"owner": "them", "groups": ["b"]}, False),
        ({"owner": "us", "groups": ["bb"]}, False),
        ({"owner": ["us"]}, False),
        ({}, False),
    ],
)
def test_required_claims_say_whose_tokens_are_good(
    provider: Provider, claims: Any, good: bool
) -> None:
    strict = authenticator(provider, required={"owner": "us", "groups": "b"})
    credentials = bearer(provider.token(**claims))
    if good:
        assert strict.admit(credentials, SCOPE) == Principal("ann")
    else:
        with pytest.raises(Unauthenticated, match="not one that is let in"):
            strict.admit(credentials, SCOPE)


def test_a_remembered_token_ends_when_it_says(provider: Provider) -> None:
    time = Time()
    remembering = authenticator(provider, time)
    credentials = bearer(provider.token())
    remembering.admit(credentials, SCOPE)
    time.now = NOW + 359
    remembering.admit(credentials, SCOPE)
    time.now = NOW + 360
    with pytest.raises(Unauthenticated, match="expired"):
        remembering.admit(credentials, SCOPE)


def test_a_new_key_is_found_when_its_first_token_comes(provider: Provider) -> None:
    time = Time()
    rotating = authenticator(provider, time)
    rotating.admit(bearer(provider.token()), SCOPE)
    provider.publish(public(RSA, "rsa"), public(OTHER_RSA, "next"))
    time.now += 60
    credentials = bearer(provider.token("next", OTHER_RSA))
    assert rotating.admit(credentials, SCOPE) == Principal("ann")
    for number in range(10):
        with pytest.raises(Unauthenticated, match="not signed with a key"):
            rotating.admit(bearer(provider.token(f"made-up-{number}", OTHER_RSA)), SCOPE)
    assert provider.asked == 2


def test_a_withdrawn_key_ends_remembered_tokens(provider: Provider) -> None:
    time = Time()
    rotating = authenticator(provider, time)
    credentials = bearer(provider.token(exp=int(NOW) + 86_400))
    rotating.admit(credentials, SCOPE)
    provider.publish(public(EC, "ec"))
    time.now += 3600
    with pytest.raises(Unauthenticated, match="not signed with a key"):
        rotating.admit(credentials, SCOPE)


def test_a_token_is_neither_right_nor_wrong_while_there_are_no_keys(provider: Provider) -> None:
    time = Time()
    waiting = authenticator(provider, time)
    provider.publish(status=503)
    credentials = bearer(provider.token())
    with pytest.raises(SignInUnavailable):
        waiting.admit(credentials, SCOPE)
    provider.publish(public(RSA, "rsa"))
    time.now += 5
    assert waiting.admit(credentials, SCOPE) == Principal("ann")


def test_a_token_is_for_pulling_unless_it_is_said(provider: Provider) -> None:
    shown = bearer(provider.token())
    configure = Scope("", "", "configure", group="team")
    with pytest.raises(Unauthenticated, match="configure"):
        authenticator(provider).admit(shown, configure)
    ann = authenticator(provider).admit(shown, SCOPE)
    assert authenticator(provider, managing=True).admit(shown, configure) == ann

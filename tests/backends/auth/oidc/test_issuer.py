from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.backends.auth.oidc.provider import CONFIGURATION, EC, KEYS, Provider, public
from virtreg.backends.auth.oidc.issuer import Issuer
from virtreg.backends.auth.unavailable import SignInUnavailable
from virtreg.errors import ConfigError
from virtreg.testing.origin import Origin

HERE = ("127.0.0.0/8",)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def test_keys_are_found_by_the_configuration(provider: Provider) -> None:
    assert set(Issuer(provider.issuer, allow_private=HERE).fetch()) == {
        ("rsa", "RS256"),
        ("ec", "ES256"),
    }


@pytest.mark.parametrize("end", ["", "/"])
def test_an_issuer_may_have_a_path_and_its_keys_a_query(provider: Provider, end: str) -> None:
    issuer = f"{provider.issuer}/realms/one{end}"
    told = {"issuer": issuer, "jwks_uri": f"{provider.issuer}/a%20b/keys?p=sign%26in&q="}
    provider.origin.put(f"realms/one/{CONFIGURATION}", json.dumps(told).encode())
    provider.origin.put(
        "a b/keys?p=sign%26in&q=", json.dumps({"keys": [public(EC, "there")]}).encode()
    )
    assert set(Issuer(issuer, allow_private=HERE).fetch()) == {("there", "ES256")}


def test_keys_may_be_on_another_host(provider: Provider) -> None:
    with Origin({KEYS: json.dumps({"keys": [public(EC, "there")]}).encode()}) as other:
        provider.configure({"issuer": provider.issuer, "jwks_uri": f"{other.url}/{KEYS}"})
        assert set(Issuer(provider.issuer, allow_private=HERE).fetch()) == {("there", "ES256")}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"issuer": "https://id.example.org", "jwks_uri": "x"}, "of another issuer"),
        ({"jwks_uri": "x"}, "of another issuer"),
        ([], "of another issuer"),
        ({"issuer": None}, "of another issuer"),
    ],
)
def test_a_configuration_of_somebody_else_is_refused(
    provider: Provider, document: Any, reason: str
) -> None:
    provider.configure(document)
    with pytest.raises(SignInUnavailable, match=reason):
        Issuer(provider.issuer, allow_private=HERE).fetch()


@pytest.mark.parametrize(
    "place",
    [None, 7, "", "keys", "file:///etc/passwd", "ftp://127.0.0.1/", "http://[::", "http://a b/"],
)
def test_a_place_of_keys_that_cannot_be_asked_is_told(provider: Provider, place: Any) -> None:
    provider.configure({"issuer": provider.issuer, "jwks_uri": place})
    with pytest.raises(SignInUnavailable, match="issuer http"):
        Issuer(provider.issuer, allow_private=HERE).fetch()


@pytest.mark.parametrize(
    "behaviour",
    [{"status": 500}, {"status": 404}, {"status": 403}, {"silent": True}, {"cut_after": 5}],
)
def test_an_issuer_in_trouble_is_told(provider: Provider, behaviour: dict[str, Any]) -> None:
    provider.publish(public(EC, "ec"), **behaviour)
    with pytest.raises(SignInUnavailable, match="issuer http") as refusal:
        Issuer(provider.issuer, allow_private=HERE).fetch()
    assert (refusal.value.status, refusal.value.retry_after) == (503, 5)


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_a_configuration_that_is_none_is_told(provider: Provider, body: bytes) -> None:
    provider.origin.put(CONFIGURATION, body)
    with pytest.raises(SignInUnavailable):
        Issuer(provider.issuer, allow_private=HERE).fetch()


def test_endless_keys_are_not_read_to_their_end(provider: Provider) -> None:
    provider.origin.put(KEYS, b" " * (2 << 20))
    with pytest.raises(SignInUnavailable, match="more than 524288 bytes"):
        Issuer(provider.issuer, allow_private=HERE).fetch()


def test_a_private_issuer_must_be_allowed(provider: Provider) -> None:
    with pytest.raises(SignInUnavailable, match="loopback"):
        Issuer(provider.issuer).fetch()
    assert provider.origin.requests == []


@pytest.mark.parametrize(
    "issuer",
    ["", "id.example.org", "ftp://id.example.org", "https://u:p@id.example.org", "https://a/?b=c"],
)
def test_what_is_no_issuer_is_a_configuration_error(issuer: str) -> None:
    with pytest.raises(ConfigError, match="issuer") as refusal:
        Issuer(issuer)
    assert "u:p" not in str(refusal.value)

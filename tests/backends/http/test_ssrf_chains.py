"""No detour leads where the server may not ask: each step of a chain is judged as the first."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from tests.backends.http.test_ssrf import SPELLINGS, UNENCODED, upstream
from tests.backends.http.test_tokens import LOGIN, asked, publish
from tests.backends.http.traps import Trap, trap
from virtreg.backends.auth.oidc.issuer import Issuer
from virtreg.backends.auth.unavailable import SignInUnavailable
from virtreg.errors import EgressRefused, UpstreamError
from virtreg.model import Fetch
from virtreg.testing.origin import Origin, Tokens

STEPS = 4
"""Redirects within what may be asked; one more is followed (and no sixth)."""

detoured = pytest.mark.parametrize("url", SPELLINGS.values(), ids=SPELLINGS)


def _location(url: str, place: Trap) -> str:
    return url.format(port=place.port).encode().decode("latin-1")


@detoured
def test_the_last_of_many_redirects_does_not_lead_to_it(url: str) -> None:
    with trap() as place, Origin() as origin:
        for step in range(STEPS):
            origin.put(str(step), redirect=f"{origin.url}/{step + 1}", status=302)
        origin.put(str(STEPS), redirect=_location(url, place), status=308)
        made = upstream(origin.url, **LOGIN)
        with pytest.raises(UpstreamError):
            made.fetch(Fetch("0"))
        made.close()
        assert [seen.path for seen in origin.requests] == [str(step) for step in range(STEPS + 1)]
        assert place.caught() == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_kind_of_redirect_leads_to_it(status: int, method: Literal["GET", "HEAD"]) -> None:
    with trap() as place, Origin() as origin:
        origin.put("a", redirect=f"http://127.0.0.3:{place.port}/", status=status)
        made = upstream(origin.url)
        with pytest.raises(EgressRefused):
            made.fetch(Fetch("a", method))
        made.close()
        assert place.caught() == 0


@detoured
def test_a_token_service_does_not_lead_to_it(url: str) -> None:
    with trap() as place, Origin() as origin:
        publish(origin, Tokens(), realm=f"{origin.url}/elsewhere")
        origin.put("elsewhere", redirect=_location(url, place), status=307)
        made = upstream(origin.url, **LOGIN)
        with pytest.raises(UpstreamError):
            made.fetch(asked())
        made.close()
        assert [seen.path for seen in origin.requests] == ["v2/a/manifests/1", "elsewhere"]
        assert place.caught() == 0


@detoured
def test_a_registry_redirected_to_names_no_token_service_that_is_it(url: str) -> None:
    with trap() as place, Origin() as other, Origin() as origin:
        origin.put("v2/a/manifests/1", redirect=f"{other.url}/b")
        challenge = f'Bearer realm="{_location(url, place)}",service="s"'.replace("\\", "\\\\")
        other.put("b", status=401, headers={"WWW-Authenticate": challenge})
        made = upstream(origin.url, token_realms=("127.0.0.3", "[::1]", "0.0.0.0"))
        with pytest.raises(UpstreamError):
            made.fetch(asked())
        made.close()
        assert [seen.path for seen in other.requests] == ["b"]
        assert place.caught() == 0


@pytest.mark.parametrize(
    "url", [*SPELLINGS.values(), *UNENCODED.values()], ids=[*SPELLINGS, *UNENCODED]
)
def test_the_keys_of_an_issuer_are_not_looked_for_there(url: str) -> None:
    with trap() as place, Origin() as origin:
        told = {"issuer": origin.url, "jwks_uri": url.format(port=place.port)}
        configuration = ".well-known/openid-configuration"
        origin.put(configuration, json.dumps(told).encode())
        with pytest.raises(SignInUnavailable):
            Issuer(origin.url, allow_private=("127.0.0.1/32",)).fetch()
        assert [seen.path for seen in origin.requests] == [configuration]
        assert place.caught() == 0


def test_the_keys_of_an_issuer_are_not_redirected_there() -> None:
    with trap() as place, Origin() as origin:
        told = {"issuer": origin.url, "jwks_uri": f"{origin.url}/keys"}
        origin.put(".well-known/openid-configuration", json.dumps(told).encode())
        origin.put("keys", redirect=f"http://127.0.0.3:{place.port}/", status=302)
        with pytest.raises(SignInUnavailable):
            Issuer(origin.url, allow_private=("127.0.0.1/32",)).fetch()
        assert origin.count("keys") == 1
        assert place.caught() == 0

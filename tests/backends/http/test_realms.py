"""Token services that are asked, and those that never hear of us."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backends.http.peers import get, upstream
from tests.backends.http.test_tokens import LOGIN, asked, proofs, publish, scope
from virtreg.backends.http.realm import RealmGuard
from virtreg.core.weburl import check_url
from virtreg.errors import ConfigError, EgressRefused
from virtreg.testing.origin import Lock, Origin, Tokens

ALLOWED = [
    ("https://registry.example.com/", "https://registry.example.com/token"),
    ("https://registry-1.docker.io/", "https://auth.docker.io/token"),
    ("https://registry.example.co.uk/", "https://auth.example.co.uk:8443/token?tenant=1"),
    ("https://registry.example.com./", "https://auth.EXAMPLE.com/token"),
    ("http://registry.internal/", "http://registry.internal:81/token"),
    ("https://10.0.0.1/", "https://10.0.0.1:5001/token"),
    ("https://team.azurecr.io/", "https://team.azurecr.io/oauth2/token"),
    ("https://docker.team.jfrog.io/", "https://team.jfrog.io/token"),
    ("https://vanity.example.org/", "https://ghcr.io/token"),
    ("https://vanity.example.org/", "https://ghcr.io:444/token"),
    ("https://vanity.example.org/", "https://auth.example.net:5001/token"),
]
REFUSED = [
    ("https://registry.example.com/", "https://auth.example.net/token"),
    ("https://registry.example.com/", "https://example.com.evil.net/token"),
    ("https://registry.example.com/", "https://evilexample.com/token"),
    ("https://a.co.uk/", "https://b.co.uk/token"),
    ("https://one.github.io/", "https://two.github.io/token"),
    ("https://one.azurecr.io/", "https://two.azurecr.io/token"),
    ("https://one.azurecr.io/", "https://azurecr.io/token"),
    ("https://one.jfrog.io./", "https://two.jfrog.io/token"),
    ("https://registry.team-a.internal/", "https://registry.team-b.internal/token"),
    ("https://10.0.0.1/", "https://10.0.0.2/token"),
    ("https://registry.example.com/", "https://auth.example.net:5002/token"),
    ("https://registry.example.com/", "http://registry.example.com/token"),
    ("https://registry.example.com/", "https://auth.example.com@evil.net/token"),
    ("https://registry.example.com/", "https://registry.example.com/token#x"),
    ("https://registry.example.com/", "https://registry.example.com/token?SCOPE=repository:x"),
    ("https://registry.example.com/", "https://registry.example.com/token?a=1&service=other"),
    ("https://registry.example.com/", "/token"),
    ("https://registry.example.com/", "ftp://registry.example.com/token"),
    ("https://registry.example.com/", "https://registry.example.com\\@evil.net/token"),
    ("https://registry.example.com/", "https://registry.example.com/" + "x" * 3000),
]
GUARD = RealmGuard("up", ("ghcr.io", "auth.example.net:5001"))


@pytest.mark.parametrize(("registry", "realm"), ALLOWED)
def test_token_services_of_the_same_party_or_listed_are_asked(registry: str, realm: str) -> None:
    assert GUARD.check(realm, check_url(registry)) == check_url(realm)


@pytest.mark.parametrize(("registry", "realm"), REFUSED)
def test_other_token_services_are_not(registry: str, realm: str) -> None:
    with pytest.raises(EgressRefused, match=r"realm|token service") as caught:
        GUARD.check(realm, check_url(registry))
    assert caught.value.upstream == "up"


@pytest.mark.parametrize(
    "listed", ["", "https://ghcr.io", "ghcr.io/token", "a b", "x:y", "u@ghcr.io"]
)
def test_what_is_listed_must_be_a_host(listed: str) -> None:
    with (
        pytest.raises(ConfigError, match="upstream 'up': token_realms"),
        upstream("https://registry.example.com", token_realms=(listed,)),
    ):
        pass


@pytest.mark.parametrize("login", [LOGIN, {}])
def test_no_request_reaches_a_foreign_realm(login: dict[str, Any]) -> None:
    with Origin() as foreign, Origin() as origin, upstream(origin.url, **login) as up:
        foreign.put("token", mint=Tokens())
        publish(origin, Tokens(), realm=f"{foreign.named_url}/token")
        for _ in range(2):
            with pytest.raises(EgressRefused, match=r"localhost:\d+ .*token_realms"):
                up.fetch(asked())
        assert (foreign.requests, foreign.connections) == ([], 0)
        assert proofs(origin) == [("v2/a/manifests/1", "nothing")] * 2


@pytest.mark.parametrize("with_port", [True, False])
def test_a_listed_realm_is_asked(with_port: bool) -> None:
    tokens = Tokens(login=("joe", "pässWORD"))
    with Origin() as foreign, Origin() as origin:
        foreign.put("token", mint=tokens)
        publish(origin, tokens, realm=f"{foreign.named_url}/token")
        listed = f"LOCALHOST:{foreign.port}" if with_port else "localhost"
        with upstream(origin.url, token_realms=(listed,), **LOGIN) as up:
            assert get(up, asked()) == (200, b"a")


def test_a_realm_on_another_port_of_the_host_is_asked() -> None:
    tokens = Tokens()
    with Origin() as service, Origin() as origin, upstream(origin.url) as up:
        service.put("token", mint=tokens)
        publish(origin, tokens, realm=f"{service.url}/token")
        assert get(up, asked()) == (200, b"a")


def test_the_egress_policy_holds_for_a_listed_realm() -> None:
    with Origin() as origin:
        publish(origin, Tokens(), realm="http://10.0.0.1/token")
        with (
            upstream(origin.url, token_realms=("10.0.0.1",), **LOGIN) as up,
            pytest.raises(EgressRefused, match="a private address"),
        ):
            up.fetch(asked())


def test_a_registry_redirected_to_is_answered_as_anybody_may() -> None:
    """One host that others are behind sends manifests to a registry of another party."""
    near, far = Tokens(login=("joe", "pässWORD")), Tokens()
    with Origin() as other, Origin() as origin, upstream(origin.url, **LOGIN) as up:
        publish(origin, near)
        lock = Lock(near, f"{origin.url}/token", scope("a"))
        target = f"{other.named_url}/v2/p/a/manifests/1?sig=1"
        origin.put("v2/a/manifests/1", redirect=target, lock=lock)
        other.put("token", mint=far)
        far_lock = Lock(far, f"{other.named_url}/token", scope("p/a"))
        other.put("v2/p/a/manifests/1", b"0123456789", lock=far_lock)
        assert get(up, asked(offset=2, stop=5)) == (206, b"234")
        assert get(up, asked()) == (200, b"0123456789")
        assert proofs(other) == [
            ("v2/p/a/manifests/1", "nothing"),
            ("token", "nothing"),
            ("v2/p/a/manifests/1", "Bearer"),
            ("v2/p/a/manifests/1", "Bearer"),
        ]
        given = {issued.text for issued in near.issued}
        sent = {seen.headers.get("authorization", "")[7:] for seen in other.requests}
        assert given
        assert not given & sent
        ranges = [seen.headers.get("range") for seen in other.requests]
        assert ranges == ["bytes=2-4", None, "bytes=2-4", None]
        # Every fetch starts at the upstream's own URL: what it signed last is not remembered.
        assert origin.requests[-1].path == "v2/a/manifests/1"


def test_a_host_redirected_to_names_no_realm_of_another_party() -> None:
    with Origin() as other, Origin() as origin, upstream(origin.url, **LOGIN) as up:
        origin.put("v2/a/manifests/1", redirect=f"{other.named_url}/b")
        other.put("b", b"x", lock=Lock(Tokens(), f"{origin.url}/token", scope("a")))
        with pytest.raises(EgressRefused, match="token_realms"):
            up.fetch(asked())
        assert origin.count("token") == 0


def test_a_token_stays_behind_where_credentials_are_an_error() -> None:
    with Origin() as store, Origin() as origin, upstream(origin.url, **LOGIN) as up:
        tokens = Tokens()
        publish(origin, tokens)
        lock = Lock(tokens, f"{origin.url}/token", scope("a"))
        origin.put("v2/a/manifests/1", redirect=f"{store.url}/blob?sig=1", lock=lock)
        store.put("blob", b"x", reject="Authorization")
        for _ in range(2):
            assert get(up, asked()) == (200, b"x")


def test_a_token_does_not_come_back() -> None:
    tokens = Tokens(login=("joe", "pässWORD"), public=True)
    with Origin() as other, Origin() as origin, upstream(origin.url, **LOGIN) as up:
        publish(origin, tokens)
        lock = Lock(tokens, f"{origin.url}/token", scope("a"))
        origin.put("v2/a/manifests/1", redirect=f"{other.url}/b", lock=lock)
        origin.put("c", b"x", lock=lock)
        other.put("b", redirect=f"{origin.url}/c")
        assert get(up, asked()) == (200, b"x")
        assert [issued.login for issued in tokens.issued] == ["joe", None]

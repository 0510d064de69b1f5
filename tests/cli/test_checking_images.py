from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from virtreg.backends.http.upstream import HttpUpstream
from virtreg.cli.checking import Finding, findings
from virtreg.config import default_config
from virtreg.model import RegistrySpec, Secret, UpstreamSpec
from virtreg.testing.origin import Lock, Origin, Tokens, basic


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as running:
        yield running


def _finding(upstream: UpstreamSpec) -> Finding:
    spec = evolve(upstream, allow_private=("127.0.0.0/8",))
    registry = RegistrySpec(1, "images", "container", (spec,))
    config = evolve(default_config(Path("/srv")), registries=(registry,))
    (finding,) = findings(config, HttpUpstream)
    return finding


def _login(origin: Origin, password: str = "right") -> UpstreamSpec:
    return UpstreamSpec("quay", origin.url, username="ci", password=Secret(password))


def _tokens(origin: Origin, tokens: Tokens) -> None:
    """A registry that wants tokens, for nothing in particular, of the service beside it."""
    origin.put("token", b"", mint=tokens)
    lock = Lock(tokens, f"{origin.url}/token", scope="nothing", told=None)
    origin.put("v2/", b"{}", lock=lock)


def test_an_open_registry_is_one(origin: Origin) -> None:
    origin.put("v2/", b"{}", headers={"Content-Type": "application/json"})
    assert str(_finding(UpstreamSpec("quay", origin.url))) == "ok: upstream 'quay': a registry"


def test_a_server_without_registry_is_told(origin: Origin) -> None:
    assert str(_finding(UpstreamSpec("quay", origin.url))) == (
        f"problem: upstream 'quay': answered 404 to {origin.url}/v2/; no registry is there"
    )


def test_a_web_page_is_no_registry(origin: Origin) -> None:
    origin.put("v2/", html=True)
    assert str(_finding(UpstreamSpec("quay", origin.url))) == (
        f"problem: upstream 'quay': answered {origin.url}/v2/ with a web page; no registry is there"
    )


def test_a_registry_that_wants_a_login_is_told_from_one_that_refuses_it(origin: Origin) -> None:
    origin.put("v2/", b"{}", require=basic("ci", "right"))
    assert str(_finding(UpstreamSpec("quay", origin.url))) == (
        "problem: upstream 'quay': 401 Unauthorized; it wants a login"
    )
    assert str(_finding(_login(origin, "wrong"))) == (
        "problem: upstream 'quay': 401 Unauthorized; it refuses the login"
    )
    assert str(_finding(_login(origin))) == "ok: upstream 'quay': a registry"


def test_a_registry_that_gives_anybody_tokens_is_well(origin: Origin) -> None:
    _tokens(origin, Tokens())
    assert str(_finding(UpstreamSpec("quay", origin.url))) == (
        "ok: upstream 'quay': a registry that wants tokens, and gives them"
    )


def test_a_token_service_judges_the_login(origin: Origin) -> None:
    tokens = Tokens(login=("ci", "right"))
    _tokens(origin, tokens)
    assert not _finding(_login(origin)).broken
    refused = _finding(_login(origin, "wrong"))
    assert refused.broken
    assert "credentials were refused" in refused.verdict
    assert "wrong" not in refused.verdict
    assert [issued.login for issued in tokens.issued] == ["ci"]


def test_a_token_service_of_strangers_is_a_problem(origin: Origin) -> None:
    with Origin() as stranger:
        lock = Lock(Tokens(), f"{stranger.named_url}/token", scope="nothing")
        origin.put("v2/", b"{}", lock=lock)
        finding = _finding(_login(origin))
        assert stranger.requests == []
    assert finding.broken
    assert "token_realms" in finding.verdict

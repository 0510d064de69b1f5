"""Repeating for a moment that somebody may."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.wsgi.doors import Called
from virtreg import build
from virtreg.backends.auth.secret_text import digest_of
from virtreg.config import AccessConfig, Config, ServerConfig, StorageConfig
from virtreg.core.identity import Role, Token, TokenKind, TokenScope, User
from virtreg.errors import NotFound, Unauthenticated
from virtreg.model import Credentials, Principal, RegistrySpec, Scope, UpstreamSpec
from virtreg.testing.fakes import FakeClock
from virtreg.testing.origin import Origin
from virtreg.wsgi.admission import Admission
from virtreg.wsgi.passes import Passes
from virtreg.wsgi.refusing import Hidden

ANN = {"HTTP_PRIVATE_TOKEN": "ann"}
MAIN = Scope("main", "a")


class Asked:
    """Admits ann alone, and remembers who was asked about."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.passes: Passes | None = None

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        self.scopes.append(scope)
        if self.passes is not None:
            self.passes.clear()
        if credentials.environ.get("HTTP_PRIVATE_TOKEN") != "ann":
            raise Unauthenticated("who?")
        if scope.registry == "hidden":
            raise NotFound("where?")
        return Principal("ann", "1")


class Gate:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.asked = Asked()
        self.passes = Passes(self.clock)
        self.counted: list[Principal] = []
        self.admission = Admission(self.asked, None, self.passes, self.counted.append)


def test_who_was_let_in_is_not_asked_about_again_for_a_moment() -> None:
    gate = Gate()
    for _ in range(3):
        gate.admission.admit(ANN, MAIN)
    assert len(gate.asked.scopes) == 1
    assert gate.counted == [Principal("ann", "1")] * 2
    gate.clock.advance(0.25)
    gate.admission.admit(ANN, MAIN)
    assert len(gate.asked.scopes) == 2


@pytest.mark.parametrize("scope", [Scope("other", "a"), Scope("main", "a", repository="app")])
def test_another_registry_or_repository_is_another_question(scope: Scope) -> None:
    gate = Gate()
    gate.admission.admit(ANN, MAIN)
    gate.admission.admit(ANN, scope)
    assert gate.asked.scopes == [MAIN, scope]


@pytest.mark.parametrize(
    "header", ["HTTP_AUTHORIZATION", "HTTP_PRIVATE_TOKEN", "HTTP_DEPLOY_TOKEN", "HTTP_JOB_TOKEN"]
)
def test_other_credentials_are_asked_about(header: str) -> None:
    gate = Gate()
    gate.admission.admit(ANN, MAIN)
    with suppress(Unauthenticated):
        gate.admission.admit({**ANN, header: "bob"}, MAIN)
    assert len(gate.asked.scopes) == 2


def test_a_refusal_is_never_repeated_without_asking() -> None:
    gate = Gate()
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            gate.admission.admit({}, MAIN)
        with pytest.raises(Hidden):
            gate.admission.admit(ANN, Scope("hidden", "a"))
    assert len(gate.asked.scopes) == 4


def test_what_was_decided_before_a_change_is_not_repeated_after_it() -> None:
    gate = Gate()
    gate.admission.admit(ANN, MAIN)
    gate.passes.clear()
    gate.asked.passes = gate.passes  # a change while the question is under way
    gate.admission.admit(ANN, MAIN)
    gate.admission.admit(ANN, MAIN)
    assert len(gate.asked.scopes) == 3


def test_a_clock_that_is_set_back_repeats_nothing() -> None:
    gate = Gate()
    gate.admission.admit(ANN, MAIN)
    gate.clock.advance(-10)
    gate.admission.admit(ANN, MAIN)
    assert len(gate.asked.scopes) == 2


def test_a_revoked_token_lets_nobody_in_from_that_moment(tmp_path: Path) -> None:
    clock = FakeClock()
    with Origin() as origin:
        origin.put("g/a/1/a-1.pom", b"<project/>")
        upstream = UpstreamSpec("near", origin.url, allow_private=("127.0.0.0/8",))
        config = Config(
            (RegistrySpec(1, "main", "maven", (upstream,)),),
            ServerConfig(),
            StorageConfig(tmp_path),
            AccessConfig(enabled=True),
        )
        with build(config, clock=clock) as assembly:
            people = assembly.directory
            people.save_user(User("ann"))
            people.set_role("default", "ann", Role.GUEST)
            scopes = frozenset({TokenScope.READ_VIRTUAL_REGISTRY})
            token = Token("t", TokenKind.PERSONAL, "ci", "ann", scopes, clock())
            people.add_token(token, digest_of("vrp_secret"))
            door = Called(assembly.app, "")

            def pull() -> int:
                shown = {"Private-Token": "vrp_secret"}
                return door.ask("GET", "/maven/main/g/a/1/a-1.pom", shown).status

            assert [pull() for _ in range(3)] == [200] * 3
            people.revoke_token("t", clock())
            assert pull() == 401

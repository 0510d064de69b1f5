"""A program that has sign-ins of its own: they open the management API only where it says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from attrs import define, field
from werkzeug.security import generate_password_hash

from tests.wsgi.answers import Answer
from tests.wsgi.doors import Called, Named
from tests.wsgi.tenants import basic
from virtreg import Config, RegistrySpec, StorageConfig, UpstreamSpec, build
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.backends.auth.members import Members
from virtreg.backends.directory import open_directory
from virtreg.core.identity import Role, User
from virtreg.errors import Forbidden, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator

FILES = RegistrySpec(
    1, "main", "maven", (UpstreamSpec("near", "http://127.0.0.1:9"),), group="ours"
)
REGISTRIES = "/api/v4/groups/ours/-/virtual_registries/packages/maven/registries"
MAIN = "/api/v4/virtual_registries/packages/maven/registries/1"
PASSWORD = "of the host"
HASHED = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
ANN = basic("ann", PASSWORD)


@define
class Host:
    """Admits everybody who shows anything, and remembers for what."""

    asked: list[Scope] = field(factory=list)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        self.asked.append(scope)
        if credentials.authorization is None:
            raise Unauthenticated("sign in at the host")
        if scope.action == "configure":
            raise Forbidden("not at this host")
        return Principal("whoever")


@contextmanager
def served(folder: Path, authenticator: Authenticator | None, managing: bool) -> Iterator[Called]:
    config = Config((FILES,), storage=StorageConfig(folder))
    with build(config, authenticator=authenticator, managing=managing) as assembly:
        yield Called(assembly.app, "")


def create(door: Called, shown: Named) -> Answer:
    kind = {"Content-Type": "application/json"}
    return door.ask("POST", REGISTRIES, {**shown, **kind}, json.dumps({"name": "new"}).encode())


@pytest.mark.parametrize("shown", [{}, ANN], ids=["nobody", "somebody"])
def test_a_server_for_everybody_is_managed_by_nobody(shown: Named, tmp_path: Path) -> None:
    with served(tmp_path, None, managing=False) as door:
        assert door.ask("GET", REGISTRIES, shown).status == 401
        assert door.ask("GET", MAIN, shown).status == 401
        assert create(door, shown).status == 401


def test_the_word_of_a_host_is_not_taken_unless_it_is_said(tmp_path: Path) -> None:
    host = Host()
    with served(tmp_path, host, managing=False) as door:
        for path in (REGISTRIES, MAIN):
            assert door.ask("GET", path, ANN).status == 401
        assert create(door, ANN).status == 401
        assert door.ask("DELETE", MAIN, ANN).status == 401
        # Such a caller may pull all the same.
        assert door.ask("GET", "/maven/main/", ANN).status != 401
    assert {scope.action for scope in host.asked} == {"pull"}


def test_a_host_that_says_so_decides_about_every_action(tmp_path: Path) -> None:
    host = Host()
    with served(tmp_path, host, managing=True) as door:
        assert door.ask("GET", REGISTRIES).status == 401
        [listed] = json.loads(door.ask("GET", REGISTRIES, ANN).body)
        assert listed["name"] == "main"
        assert create(door, ANN).status == 403
    assert [(scope.action, scope.group) for scope in host.asked] == [
        ("read", "ours"),
        ("read", "ours"),
        ("configure", "ours"),
    ]


def test_passwords_that_say_nothing_of_roles_do_not_manage(tmp_path: Path) -> None:
    people = {"ann": HASHED}
    with served(tmp_path / "a", BasicAuthenticator(people), managing=True) as door:
        assert door.ask("GET", MAIN, ANN).status == 401
        assert create(door, ANN).status == 401
        assert door.ask("GET", "/maven/main/", ANN).status != 401
    with served(tmp_path / "b", BasicAuthenticator(people, managing=True), managing=True) as door:
        assert door.ask("GET", MAIN, ANN).status == 200
        assert create(door, ANN).status == 201
        assert create(door, basic("ann", "wrong")).status == 401


def test_people_of_the_host_manage_by_their_roles_here(tmp_path: Path) -> None:
    people = dict.fromkeys(("ann", "bob", "eve"), HASHED)
    with closing(open_directory(tmp_path)) as directory:
        directory.add_group("ours")
        for name in people:
            directory.save_user(User(name))
        directory.set_role("ours", "ann", Role.MAINTAINER)
        directory.set_role("ours", "bob", Role.DEVELOPER)
        members = Members(BasicAuthenticator(people, managing=True), directory)
        with served(tmp_path, members, managing=True) as door:
            bob, eve = basic("bob", PASSWORD), basic("eve", PASSWORD)
            assert create(door, ANN).status == 201
            assert door.ask("GET", REGISTRIES, bob).status == 200
            assert create(door, bob).status == 403
            assert door.ask("GET", REGISTRIES, eve).status == 404
            assert create(door, eve).status == 404
            assert create(door, {}).status == 401

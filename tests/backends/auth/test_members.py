from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest
from attrs import define, evolve, field

from virtreg.backends.auth.members import Members
from virtreg.backends.auth.passwords import PasswordAuthenticator
from virtreg.core.identity import Role, User
from virtreg.errors import Forbidden, NotFound, StorageError, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Readmits, Recalls
from virtreg.testing.authenticators import AuthenticatorSuite
from virtreg.testing.memory import MemoryDirectory

PULL = Scope("registry", "a/b", group="team")


def basic(name: str, password: str = "secret") -> Credentials:
    return Credentials("Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


def passwords() -> Authenticator:
    return PasswordAuthenticator(
        lambda name, password: name if password == "secret" else None, managing=True
    )


def directory(made: MemoryDirectory | None = None) -> MemoryDirectory:
    """Ann pulls from the team's registries, ben from others', olga is an administrator."""
    made = made or MemoryDirectory()
    for group in ("team", "others"):
        made.add_group(group)
    for name in ("ann", "ben", "max"):
        made.save_user(User(name))
    made.save_user(User("olga", administrator=True))
    made.set_role("team", "ann", Role.GUEST)
    made.set_role("team", "max", Role.MAINTAINER)
    made.set_role("others", "ben", Role.OWNER)
    return made


@define
class Site:
    now: float = 0.0
    directory: MemoryDirectory = field(factory=directory)

    def members(self) -> Members:
        return Members(passwords(), self.directory, clock=lambda: self.now)


class TestMembers(AuthenticatorSuite):
    scope = PULL

    def make_authenticator(self) -> Authenticator:
        return Members(passwords(), directory())

    def admitted(self) -> Sequence[Credentials]:
        return [basic("ann"), basic("max"), basic("olga")]

    def refused(self) -> Sequence[Credentials]:
        return [Credentials(), basic("ann", "guess"), basic("eve"), basic("anonymous")]


def test_the_principal_is_the_one_who_signed_in() -> None:
    assert Site().members().admit(basic("ann"), PULL) == Principal("ann")


def test_a_registry_of_another_group_is_not_there() -> None:
    with pytest.raises(NotFound):
        Site().members().admit(basic("ben"), PULL)


def test_a_role_says_what_may_be_done() -> None:
    configure = Scope("registry", "", "configure", group="team")
    members = Site().members()
    assert members.admit(basic("max"), configure) == Principal("max")
    with pytest.raises(Forbidden, match="configure"):
        members.admit(basic("ann"), configure)


@pytest.mark.parametrize("credentials", [Credentials(), basic("ann", "guess"), basic("eve")])
def test_strangers_pull_from_public_registries_alone(credentials: Credentials) -> None:
    members = Site().members()
    public = Scope("registry", "a/b", group="team", public=True)
    assert members.admit(credentials, public) == Principal()
    assert members.admit(basic("ann"), PULL) == members.admit(basic("ann"), public)
    for scope in (PULL, Scope("registry", "", "configure", group="team", public=True)):
        with pytest.raises(Unauthenticated):
            members.admit(credentials, scope)


def test_the_name_of_strangers_is_nobodys() -> None:
    site = Site()
    site.directory.save_user(User("anonymous", administrator=True))
    with pytest.raises(Unauthenticated):
        site.members().admit(basic("anonymous"), PULL)


def test_the_reason_of_a_refusal_is_kept() -> None:
    with pytest.raises(Unauthenticated, match="user name and a password are needed"):
        Site().members().admit(Credentials(), PULL)


def test_changes_are_seen_within_a_second() -> None:
    site = Site()
    members = site.members()
    assert members.admit(basic("ann"), PULL) == Principal("ann")
    assert members.stands(Principal("ann"))
    site.directory.save_user(User("ann", blocked=True))
    site.now = 1.0
    with pytest.raises(Unauthenticated):
        members.admit(basic("ann"), PULL)
    assert not members.stands(Principal("ann"))
    site.directory.save_user(User("ann"))
    site.directory.switch_group("team", False)
    site.now = 2.0
    with pytest.raises(NotFound):
        members.admit(basic("ann"), PULL)
    site.directory.switch_group("team", True)
    site.now = 3.0
    assert members.admit(basic("ann"), PULL) == Principal("ann")


class Fragile(MemoryDirectory):
    broken = False

    def revision(self) -> int:
        if self.broken:
            raise StorageError("the directory is out of order")
        return super().revision()


def test_who_is_known_is_for_five_minutes_without_a_directory() -> None:
    site = Site(directory=directory(Fragile()))
    assert isinstance(site.directory, Fragile)
    members = site.members()
    members.admit(basic("ann"), PULL)
    site.directory.broken = True
    site.now = 299.0
    assert members.admit(basic("ann"), PULL) == Principal("ann")
    site.now = 300.0
    with pytest.raises(StorageError):
        members.admit(basic("ann"), PULL)
    site.directory.broken = False
    assert members.admit(basic("ann"), PULL) == Principal("ann")


def test_who_was_never_in_the_directory_does_not_stand() -> None:
    members = Site().members()
    assert not members.stands(Principal("eve"))
    assert members.stands(Principal())


def test_the_one_inside_may_say_no() -> None:
    site = Site()
    outer = Members(site.members(), directory())
    site.directory.remove_user("ann")
    assert outer.stands(Principal("max"))
    assert not outer.stands(Principal("ann"))


def test_a_group_that_is_off_is_not_there_for_who_is_known_though_strangers_might_pull() -> None:
    site = Site()
    site.directory.switch_group("team", False)
    with pytest.raises(NotFound):
        site.members().admit(basic("ann"), evolve(PULL, public=True))
    with pytest.raises(Unauthenticated):
        site.members().admit(Credentials(), evolve(PULL, public=True))


def test_a_token_of_nobody_here_is_for_others_to_judge() -> None:
    site = Site()
    members = site.members()
    assert members.stands(Principal("robot", "t1"))
    assert members.stands(Principal("ann", "t1"))
    site.directory.save_user(User("ann", blocked=True))
    site.now = 1.0
    assert not members.stands(Principal("ann", "t1"))


@define
class Session:
    """Knows people by a session, and again by their name as long as it lasts."""

    ended: set[str] = field(factory=set)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        return self.readmit(Principal(credentials.environ.get("session", "")), scope)

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        if not principal.name or principal.name in self.ended:
            raise Unauthenticated("no session")
        return principal


def test_who_is_admitted_again_may_what_the_roles_say_by_now() -> None:
    site, sessions = Site(), Session()
    members = Members(sessions, site.directory, clock=lambda: site.now)
    assert isinstance(members, Readmits)
    assert members.admit(Credentials(environ={"session": "ann"}), PULL) == Principal("ann")
    assert members.readmit(Principal("ann"), PULL) == Principal("ann")
    with pytest.raises(Forbidden):
        members.readmit(Principal("ann"), evolve(PULL, action="configure"))
    site.directory.set_role("team", "ann", None)
    site.now = 1.0
    with pytest.raises(NotFound):
        members.readmit(Principal("ann"), PULL)


@pytest.mark.parametrize("public", [True, False])
def test_who_is_gone_or_was_signed_out_is_not_admitted_again(public: bool) -> None:
    site, sessions = Site(), Session({"max"})
    members = Members(sessions, site.directory)
    assert isinstance(members, Readmits)
    for name in ("max", "eve"):
        with pytest.raises(Unauthenticated):
            members.readmit(Principal(name), evolve(PULL, public=public))


def test_nobody_is_admitted_again_by_whom_it_could_not_be_told() -> None:
    members = Site().members()
    assert isinstance(members, Recalls)
    assert not isinstance(members, Readmits)

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import define, field
from werkzeug.security import generate_password_hash

from tests.backends.auth.people import OURS, People, basic, bearer
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.backends.auth.chain import chain
from virtreg.backends.auth.members import Members
from virtreg.backends.auth.passwords import PasswordAuthenticator
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.core.identity import TokenKind
from virtreg.errors import Forbidden, IndexUnavailable, NotFound, Unauthenticated, VirtregError
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Readmits, Recalls
from virtreg.testing.authenticators import AuthenticatorSuite


@define
class Session:
    """Knows who carries a session, as a host program does."""

    people: dict[str, Principal]
    gone: set[str] = field(factory=set)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        principal = self.people.get(credentials.environ.get("session", ""))
        if principal is None:
            raise Unauthenticated("no session")
        if principal.name in self.gone:
            raise Forbidden("gone")
        return principal

    def stands(self, principal: Principal) -> bool:
        return principal.name not in self.gone


@define
class Refusing:
    error: VirtregError

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        raise self.error


def session(name: str) -> Credentials:
    return Credentials(environ={"session": name})


class TestChain(AuthenticatorSuite):
    def make_authenticator(self) -> Authenticator:
        return chain(
            Session({"s1": Principal("ann")}),
            BasicAuthenticator({"ben": generate_password_hash("hidden", "scrypt:256:8:1")}),
        )

    def admitted(self) -> Sequence[Credentials]:
        return [session("s1"), basic("ben", "hidden")]

    def refused(self) -> Sequence[Credentials]:
        return [Credentials(), session("s2"), basic("ben", "guess"), basic("ann", "hidden")]


def test_the_first_that_knows_the_caller_counts() -> None:
    first = Session({"s1": Principal("ann"), "s2": Principal("ben")})
    second = Session({"s1": Principal("other"), "s3": Principal("cid")})
    both = chain(first, second)
    names = [both.admit(session(name), OURS).name for name in ("s1", "s2", "s3")]
    assert names == ["ann", "ben", "cid"]


@pytest.mark.parametrize("error", [Forbidden("no"), NotFound("no"), IndexUnavailable("no")])
def test_another_error_than_not_being_known_is_the_last_word(error: VirtregError) -> None:
    with pytest.raises(type(error)) as refusal:
        chain(Refusing(error), Anonymous()).admit(Credentials(), OURS)
    assert refusal.value is error


def test_the_last_one_says_why_nobody_is_known() -> None:
    last = Unauthenticated("last")
    with pytest.raises(Unauthenticated, match="last"):
        chain(Refusing(Unauthenticated("first")), Refusing(last)).admit(Credentials(), OURS)


def test_a_chain_of_one_is_that_one() -> None:
    assert chain(Anonymous()).admit(Credentials(), OURS) == Principal()


def test_everybody_who_recalls_has_a_say() -> None:
    people = People()
    secret = people.token()
    tokens = TokenAuthenticator(people.directory)
    sessions = Session({"s1": Principal("cid")})
    both = chain(sessions, Anonymous(), tokens)
    assert isinstance(both, Recalls)
    ann, cid = chain(sessions, tokens).admit(bearer(secret), OURS), sessions.people["s1"]
    assert (both.stands(ann), both.stands(cid)) == (True, True)
    sessions.gone.add("cid")
    assert (both.stands(ann), both.stands(cid)) == (True, False)
    people.directory.revoke_token("t1", 2.0)
    assert not both.stands(ann)
    tokens.close()


def test_where_nobody_recalls_everybody_stands() -> None:
    assert chain(Anonymous()).stands(Principal("ann", "t1"))


def test_robots_stand_beside_members() -> None:
    people = People()
    robot, anns = people.token(TokenKind.DEPLOY, "robot"), people.token()
    passwords = PasswordAuthenticator(lambda name, text: name if text == "secret" else None)
    tokens = TokenAuthenticator(people.directory)
    both = chain(tokens, Members(passwords, people.directory))
    admitted = [
        both.admit(shown, OURS)
        for shown in (basic("robot", robot), basic("ann", anns), basic("ann", "secret"))
    ]
    assert [(each.name, each.token_id) for each in admitted] == [
        ("robot", "t1"),
        ("ann", "t2"),
        ("ann", None),
    ]
    assert all(both.stands(each) for each in admitted)
    people.directory.revoke_token("t1", 2.0)
    assert [both.stands(each) for each in admitted] == [False, True, True]
    tokens.close()


def test_a_chain_admits_nobody_again() -> None:
    tokens = TokenAuthenticator(People().directory)
    assert isinstance(tokens, Readmits)
    assert not isinstance(chain(tokens), Readmits)
    tokens.close()

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from attrs import define, evolve, field

from virtreg.backends.auth.passwords import PasswordAuthenticator
from virtreg.backends.auth.unavailable import SignInUnavailable
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.testing.authenticators import AuthenticatorSuite

SCOPE = Scope("registry", "a/b")


def basic(name: str, password: str) -> Credentials:
    return Credentials("Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


@define
class Book:
    """Users somewhere else, and what was asked about them."""

    users: dict[str, str] = field(factory=lambda: {"ann": "correct horse", "zoë": "pass:wörd"})
    asked: list[str] = field(factory=list)

    def check(self, name: str, password: str) -> str | None:
        self.asked.append(name)
        return name if self.users.get(name) == password else None


class TestPasswords(AuthenticatorSuite):
    def make_authenticator(self) -> Authenticator:
        return PasswordAuthenticator(Book().check)

    def admitted(self) -> Sequence[Credentials]:
        return [basic("ann", "correct horse"), basic("zoë", "pass:wörd")]

    def refused(self) -> Sequence[Credentials]:
        return [
            Credentials(),
            basic("ann", "incorrect horse"),
            basic("eve", "correct horse"),
            Credentials("Bearer correct-horse"),
        ]


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", ""), ("", "secret"), ("ann\n", "secret"), ("a" * 256, "secret"), ("ann", "a" * 1025)],
)
def test_what_is_no_sign_in_is_never_checked(name: str, password: str) -> None:
    def agree(name: str, password: str) -> str:
        return "ann"

    with pytest.raises(Unauthenticated):
        PasswordAuthenticator(agree).admit(basic(name, password), SCOPE)


def test_a_user_has_one_name_however_it_is_typed() -> None:
    authenticator = PasswordAuthenticator(lambda name, _: name.casefold())
    for name in ("ann", "Ann", "ANN"):
        assert authenticator.admit(basic(name, "secret"), SCOPE) == Principal("ann")


def test_a_right_password_is_checked_again_when_its_time_is_over() -> None:
    book, now = Book(), [100.0]
    authenticator = PasswordAuthenticator(book.check, seconds=60, clock=lambda: now[0])
    assert authenticator.admit(basic("ann", "correct horse"), SCOPE) == Principal("ann")
    now[0] = 159.9
    del book.users["ann"]
    assert authenticator.admit(basic("ann", "correct horse"), SCOPE) == Principal("ann")
    assert book.asked == ["ann"]
    now[0] = 160.0
    with pytest.raises(Unauthenticated):
        authenticator.admit(basic("ann", "correct horse"), SCOPE)


def test_a_wrong_password_is_checked_each_time() -> None:
    book = Book()
    authenticator = PasswordAuthenticator(book.check)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            authenticator.admit(basic("ann", "guess"), SCOPE)
    assert book.asked == ["ann"] * 3


def test_memory_is_bounded() -> None:
    book = Book()
    authenticator = PasswordAuthenticator(book.check, remembered=1)
    for _ in range(2):
        authenticator.admit(basic("ann", "correct horse"), SCOPE)
        authenticator.admit(basic("zoë", "pass:wörd"), SCOPE)
    assert len(book.asked) == 4


def test_not_knowing_is_not_a_wrong_password() -> None:
    def away(name: str, password: str) -> str:
        raise SignInUnavailable("the directory server is away", retry_after=5)

    with pytest.raises(SignInUnavailable) as refusal:
        PasswordAuthenticator(away).admit(basic("ann", "secret"), SCOPE)
    assert (refusal.value.status, refusal.value.retry_after) == (503, 5)


def test_eight_are_checked_at_once() -> None:
    together = Barrier(8)

    def meet(name: str, password: str) -> str:
        together.wait(20)
        return name

    authenticator = PasswordAuthenticator(meet)
    with ThreadPoolExecutor(8) as threads:
        callers = [basic(f"user-{n}", "secret") for n in range(8)]
        found = threads.map(lambda caller: authenticator.admit(caller, SCOPE).name, callers)
        assert list(found) == [f"user-{n}" for n in range(8)]


def test_nobody_is_asked_about_at_a_public_registry() -> None:
    book, now = Book(), [0.0]
    authenticator = PasswordAuthenticator(book.check, seconds=10, clock=lambda: now[0])
    public = evolve(SCOPE, public=True)
    callers = [
        Credentials(),
        basic("ann", "guess"),
        basic("ann", "correct horse"),
        basic("ann", ""),
    ]
    assert {authenticator.admit(caller, public) for caller in callers} == {Principal()}
    assert book.asked == []
    authenticator.admit(basic("ann", "correct horse"), SCOPE)
    assert authenticator.admit(basic("ann", "correct horse"), public) == Principal("ann")
    now[0] = 10.0
    assert authenticator.admit(basic("ann", "correct horse"), public) == Principal()
    with pytest.raises(Unauthenticated):
        authenticator.admit(basic("ann", "guess"), evolve(public, action="configure"))

"""The contract of an Authenticator, as tests. Subclass the suite and say how to make one."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from virtreg.errors import Forbidden, Unauthenticated
from virtreg.model import Credentials, Scope
from virtreg.protocols import Authenticator

MALFORMED = (
    "",
    " ",
    "Basic",
    "Basic ",
    "Basic \t",
    "Basic =",
    "Basic !!!!",
    "Basic QQ",
    "Basic " + "A" * 10_000,
    "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    "Basic " + base64.b64encode(b"\x00:\x00").decode(),
    "Basic \xe9\xff",
    "Basic \udcff",
    "Bearer",
    "Bearer \x00",
    "Bearer a.b.c",
    "Digest username=",
    ":",
)
"""``Authorization`` values that anybody may send."""


class AuthenticatorSuite:
    """Subclass as ``class TestMine(AuthenticatorSuite)`` and override the three methods."""

    scope = Scope("registry", "org/example/app/1.0/app-1.0.jar")

    def make_authenticator(self) -> Authenticator:
        raise NotImplementedError

    def admitted(self) -> Sequence[Credentials]:
        """At least one caller who may pull ``scope``."""
        raise NotImplementedError

    def refused(self) -> Sequence[Credentials]:
        """Callers who may not; empty only when everybody may."""
        raise NotImplementedError

    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return self.make_authenticator()

    @pytest.fixture
    def strangers(self) -> Sequence[Credentials]:
        return self.refused() or pytest.skip("everybody is admitted")

    def test_who_is_admitted_has_a_name(self, authenticator: Authenticator) -> None:
        for credentials in self.admitted():
            assert authenticator.admit(credentials, self.scope).name

    def test_the_same_credentials_are_the_same_principal(
        self, authenticator: Authenticator
    ) -> None:
        for credentials in self.admitted():
            first = authenticator.admit(credentials, self.scope)
            assert authenticator.admit(credentials, self.scope) == first
            assert self.make_authenticator().admit(credentials, self.scope) == first

    def test_who_is_refused_stays_refused(
        self, authenticator: Authenticator, strangers: Sequence[Credentials]
    ) -> None:
        for _ in range(2):
            for credentials in strangers:
                with pytest.raises((Unauthenticated, Forbidden)):
                    authenticator.admit(credentials, self.scope)
            for credentials in self.admitted():
                authenticator.admit(credentials, self.scope)

    def test_a_refusal_says_why_without_a_secret(
        self, authenticator: Authenticator, strangers: Sequence[Credentials]
    ) -> None:
        for credentials in strangers:
            with pytest.raises((Unauthenticated, Forbidden)) as refusal:
                authenticator.admit(credentials, self.scope)
            assert str(refusal.value)
            for secret in _secrets(credentials):
                assert secret not in str(refusal.value)
                assert secret not in repr(refusal.value)

    def test_an_authenticator_does_not_print_what_it_was_shown(
        self, authenticator: Authenticator
    ) -> None:
        for credentials in self.admitted():
            authenticator.admit(credentials, self.scope)
            for secret in _secrets(credentials):
                assert secret not in repr(authenticator)

    @pytest.mark.parametrize("header", MALFORMED)
    def test_a_malformed_header_is_answered_not_stumbled_over(
        self, authenticator: Authenticator, header: str
    ) -> None:
        answer = _answer(authenticator, Credentials(header), self.scope)
        assert answer is None or answer

    def test_many_threads_each_get_their_own_answer(self, authenticator: Authenticator) -> None:
        callers = [*self.admitted(), *self.refused()] * 4
        expected = [_answer(self.make_authenticator(), caller, self.scope) for caller in callers]
        together = Barrier(len(callers))

        def ask(caller: Credentials) -> str | None:
            together.wait(timeout=60)
            return _answer(authenticator, caller, self.scope)

        with ThreadPoolExecutor(len(callers)) as pool:
            assert list(pool.map(ask, callers)) == expected


def _answer(authenticator: Authenticator, caller: Credentials, scope: Scope) -> str | None:
    """The caller's name, or None when refused; any other error passes."""
    try:
        return authenticator.admit(caller, scope).name
    except (Unauthenticated, Forbidden):
        return None


def _secrets(credentials: Credentials) -> list[str]:
    """The parts of an ``Authorization`` value that must not be printed."""
    _, _, token = (credentials.authorization or "").partition(" ")
    found = [token]
    try:
        _, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        pass
    else:
        found.append(password)
    return [secret for secret in found if len(secret) > 3]

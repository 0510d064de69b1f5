from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.errors import ConfigError, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.testing.authenticators import AuthenticatorSuite

SCOPE = Scope("registry", "a/b")
PUBLIC = Scope("registry", "a/b", public=True)
CHEAP = "scrypt:256:8:1"


def basic(name: str, password: str, scheme: str = "Basic ") -> Credentials:
    token = base64.b64encode(f"{name}:{password}".encode()).decode()
    return Credentials(f"{scheme}{token}")


def cheap(**passwords: str) -> dict[str, str]:
    return {name: generate_password_hash(text, CHEAP) for name, text in passwords.items()}


class TestBasic(AuthenticatorSuite):
    def make_authenticator(self) -> Authenticator:
        return BasicAuthenticator(cheap(ann="correct horse", zoë="pass:wörd"))

    def admitted(self) -> Sequence[Credentials]:
        return [basic("ann", "correct horse"), basic("zoë", "pass:wörd")]

    def refused(self) -> Sequence[Credentials]:
        return [
            Credentials(),
            basic("ann", "incorrect horse"),
            basic("ann", ""),
            basic("nobody", "correct horse"),
            basic("", "correct horse"),
            basic("ANN", "correct horse"),
            Credentials("Bearer correct-horse"),
        ]


def test_the_principal_is_the_user() -> None:
    authenticator = BasicAuthenticator(cheap(ann="secret"))
    assert authenticator.admit(basic("ann", "secret"), SCOPE) == Principal("ann")


@pytest.mark.parametrize("scheme", ["Basic ", "basic ", "BASIC ", "Basic   ", " Basic "])
def test_the_scheme_is_read_as_the_grammar_allows(scheme: str) -> None:
    authenticator = BasicAuthenticator(cheap(ann="secret"))
    assert authenticator.admit(basic("ann", "secret", scheme), SCOPE) == Principal("ann")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "needed"),
        ("Bearer YW5uOnNlY3JldA==", "Basic scheme"),
        ("Basic", "hold no ':'"),
        ("Basic YW5u", "hold no ':'"),
        ("Basic YW5uOnNlY3JldA", "base64"),
        ("Basic YW5uOnNlY3JldA== x", "base64"),
        ("Basic YW5uO\nnNlY3JldA==", "base64"),
        ("Basic " + base64.b64encode(b"ann:\xff").decode(), "UTF-8"),
    ],
)
def test_a_malformed_header_is_refused_with_the_reason(header: str | None, reason: str) -> None:
    authenticator = BasicAuthenticator(cheap(ann="secret"))
    with pytest.raises(Unauthenticated, match=reason):
        authenticator.admit(Credentials(header), SCOPE)


@settings(max_examples=50, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["C"], exclude_characters=":"), min_size=1),
    st.text(),
    st.text(),
)
def test_a_user_enters_with_their_password_only(name: str, password: str, guess: str) -> None:
    authenticator = BasicAuthenticator({name: generate_password_hash(password, CHEAP)})
    assert authenticator.admit(basic(name, password), SCOPE) == Principal(name)
    if guess != password:
        with pytest.raises(Unauthenticated):
            authenticator.admit(basic(name, guess), SCOPE)


def test_nobody_enters_where_there_are_no_users() -> None:
    with pytest.raises(Unauthenticated):
        BasicAuthenticator({}).admit(basic("ann", ""), SCOPE)


def test_a_user_forgotten_for_lack_of_room_is_verified_again() -> None:
    authenticator = BasicAuthenticator(cheap(ann="secret", ben="hidden"), remembered=1)
    for _ in range(2):
        assert authenticator.admit(basic("ann", "secret"), SCOPE) == Principal("ann")
        assert authenticator.admit(basic("ben", "hidden"), SCOPE) == Principal("ben")


def test_spelling_credentials_in_many_ways_pushes_nobody_out() -> None:
    users = {
        "ann": generate_password_hash("secret", CHEAP),
        "ben": generate_password_hash("hidden"),
    }
    authenticator = BasicAuthenticator(users, remembered=2)
    once = cost(authenticator, basic("ben", "hidden"))
    for spaces in range(1, 20):
        authenticator.admit(basic("ann", "secret", "Basic" + " " * spaces), SCOPE)
    assert cost(authenticator, basic("ben", "hidden"), times=5) < once / 2


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "a\x7fb"])
def test_a_name_that_basic_cannot_carry_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigError, match="a name must not"):
        BasicAuthenticator({name: generate_password_hash("secret", CHEAP)})


@pytest.mark.parametrize(
    "password_hash",
    [
        "",
        "secret",
        "plain$salt$secret",
        "scrypt:256:8:1$salt$",
        "scrypt:256:8:1$salt$xyz",
        "scrypt:255:8:1$salt$00",
        "scrypt:256:8$salt$00",
        "scrypt:a:b:c$salt$00",
        "pbkdf2:nohash:1$salt$00",
        "pbkdf2:sha256:0$salt$00",
    ],
)
def test_an_unusable_hash_is_a_configuration_error_that_names_the_user(password_hash: str) -> None:
    with pytest.raises(ConfigError, match="user 'ann'") as refusal:
        BasicAuthenticator({"ann": password_hash})
    assert "secret" not in str(refusal.value)


def cost(authenticator: Authenticator, credentials: Credentials, times: int = 1) -> float:
    """Seconds of this thread's processor time, which other work on the machine does not change."""
    begun = time.thread_time()
    for _ in range(times):
        with suppress(Unauthenticated):
            authenticator.admit(credentials, SCOPE)
    return time.thread_time() - begun


@pytest.fixture(scope="module")
def slow() -> Authenticator:
    return BasicAuthenticator({"ann": generate_password_hash("secret")})


def test_a_right_password_is_hashed_once(slow: Authenticator) -> None:
    once = cost(slow, basic("ann", "secret"))
    assert cost(slow, basic("ann", "secret"), times=20) < once / 2


def test_a_wrong_password_is_hashed_each_time(slow: Authenticator) -> None:
    once = cost(slow, basic("ann", "guess"))
    assert cost(slow, basic("ann", "guess"), times=4) > 2 * once


def test_an_unknown_user_costs_as_much_as_a_wrong_password(slow: Authenticator) -> None:
    wrong = cost(slow, basic("ann", "guess"), times=3)
    unknown = cost(slow, basic("eve", "guess"), times=3)
    assert wrong / 2 < unknown < wrong * 2


@pytest.mark.parametrize(
    "credentials",
    [Credentials(), basic("ann", "guess"), basic("eve", "secret"), Credentials("Bearer abc")],
)
def test_strangers_pull_from_public_registries_and_do_nothing_else(
    credentials: Credentials,
) -> None:
    authenticator = BasicAuthenticator(cheap(ann="secret"))
    assert authenticator.admit(credentials, PUBLIC) == Principal()
    for scope in (SCOPE, evolve(PUBLIC, action="read"), evolve(PUBLIC, action="configure")):
        with pytest.raises(Unauthenticated):
            authenticator.admit(credentials, scope)


def test_who_is_known_has_a_name_at_a_public_registry_too() -> None:
    authenticator = BasicAuthenticator(cheap(ann="secret"))
    authenticator.admit(basic("ann", "secret"), SCOPE)
    assert authenticator.admit(basic("ann", "secret"), PUBLIC) == Principal("ann")
    assert authenticator.admit(basic("ann", "guess"), PUBLIC) == Principal()


def test_a_public_registry_is_no_place_to_guess_passwords_at() -> None:
    """Right or wrong, known or not: the answer is the same, and nothing was hashed for it."""
    authenticator = BasicAuthenticator({"ann": generate_password_hash("secret")})
    once = cost(BasicAuthenticator({"ann": generate_password_hash("secret")}), basic("ann", "x"))
    begun = time.thread_time()
    for guess in ("guess", "secret", "secret"):
        assert authenticator.admit(basic("ann", guess), PUBLIC) == Principal()
    assert time.thread_time() - begun < once / 2

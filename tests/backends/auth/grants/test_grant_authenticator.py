from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import define, evolve, field
from werkzeug.security import generate_password_hash

from tests.backends.auth.grants.forging import encode
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.backends.auth.grants import GrantAuthenticator, Grants, Keys
from virtreg.errors import Forbidden, Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Recalls
from virtreg.testing.authenticators import AuthenticatorSuite
from virtreg.testing.fakes import FakeClock

ANN = Principal("ann", "17")
APP = Scope("hub", "app/manifests/latest", repository="app")
USERS = {"ann": generate_password_hash("secret", "scrypt:256:8:1")}
LOGIN = Credentials("Basic " + base64.b64encode(b"ann:secret").decode())
FOREIGN = ".".join(map(encode, (b'{"alg":"RS256","typ":"JWT","kid":"idp"}', b"{}", b"signature")))


def bearer(text: str, scheme: str = "Bearer ") -> Credentials:
    return Credentials(f"{scheme}{text}")


@define
class Turnstile:
    """A host's authenticator: bearer tokens of its own, users who may be sent away."""

    gone: set[str] = field(factory=set)
    demoted: set[str] = field(factory=set)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        if credentials.authorization is None and scope.public:
            return Principal()
        if credentials.authorization != f"Bearer {FOREIGN}":
            raise Unauthenticated("not known at the turnstile")
        return self.readmit(ANN, scope)

    def stands(self, principal: Principal) -> bool:
        return principal.name not in self.gone

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        if scope.repository not in ("app", "") or principal.name in self.demoted:
            raise Forbidden("app alone")
        return principal


class TestGrants(AuthenticatorSuite):
    scope = APP

    def make_authenticator(self) -> Authenticator:
        return GrantAuthenticator(BasicAuthenticator(USERS), self.grants)

    @pytest.fixture(autouse=True)
    def _prepare(self, grants: Grants) -> None:
        self.grants = grants

    def admitted(self) -> Sequence[Credentials]:
        return [
            LOGIN,
            bearer(self.grants.issue(ANN, {("hub", "app")}).text),
            bearer(self.grants.issue(Principal(), {("hub", "app"), ("hub", "lib")}).text),
        ]

    def refused(self) -> Sequence[Credentials]:
        return [
            Credentials(),
            bearer(self.grants.issue(ANN, {("hub", "lib")}).text),
            bearer(self.grants.issue(ANN, ()).text),
            bearer(self.grants.refresh(ANN)),
            bearer(self.grants.issue(ANN, {("hub", "app")}).text + "x"),
            bearer(FOREIGN),
        ]


@pytest.fixture
def turnstile() -> Turnstile:
    return Turnstile()


@pytest.fixture
def authenticator(turnstile: Turnstile, grants: Grants) -> GrantAuthenticator:
    return GrantAuthenticator(turnstile, grants)


def refusal(authenticator: Authenticator, credentials: Credentials, scope: Scope) -> str:
    with pytest.raises(Unauthenticated) as raised:
        authenticator.admit(credentials, scope)
    return raised.value.reason


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   ", " Bearer "])
def test_a_grant_admits_to_what_it_was_given_for(
    authenticator: GrantAuthenticator, grants: Grants, scheme: str
) -> None:
    text = grants.issue(ANN, {("hub", "app")}).text
    assert authenticator.admit(bearer(text, scheme), APP) == ANN


@pytest.mark.parametrize(
    "scope",
    [
        Scope("hub", "lib/manifests/latest", repository="lib"),
        Scope("hub", "app/sub/manifests/latest", repository="app/sub"),
        Scope("other", "app/manifests/latest", repository="app"),
        Scope("hub", "_catalog"),
        Scope("hub", "app/manifests/latest", "configure", repository="app"),
        Scope("hub", "lib/manifests/latest", repository="lib", public=True),
    ],
    ids=str,
)
def test_a_grant_admits_to_nothing_else(
    authenticator: GrantAuthenticator, grants: Grants, scope: Scope
) -> None:
    shown = bearer(grants.issue(ANN, {("hub", "app")}).text)
    assert refusal(authenticator, shown, scope) == "insufficient_scope"


def test_a_grant_for_a_registry_as_a_whole_is_none_for_its_repositories(
    authenticator: GrantAuthenticator, grants: Grants
) -> None:
    shown = bearer(grants.issue(ANN, {("hub", "")}).text)
    assert authenticator.admit(shown, Scope("hub", "_catalog")) == ANN
    assert refusal(authenticator, shown, APP) == "insufficient_scope"


def test_a_grant_that_is_over_is_no_good(
    authenticator: GrantAuthenticator, grants: Grants, clock: FakeClock
) -> None:
    shown = bearer(grants.issue(ANN, {("hub", "app")}).text)
    authenticator.admit(shown, APP)
    clock.advance(360)
    assert refusal(authenticator, shown, APP) == "invalid_token"


def test_a_refresh_token_is_no_grant(authenticator: GrantAuthenticator, grants: Grants) -> None:
    assert refusal(authenticator, bearer(grants.refresh(ANN)), APP) == "invalid_token"


def test_grants_signed_with_keys_that_are_lost_are_asked_for_again(
    authenticator: GrantAuthenticator, tmp_path: Path, clock: FakeClock
) -> None:
    lost = Grants(Keys(tmp_path / "lost", clock), "images.example", clock)
    shown = bearer(lost.issue(ANN, {("hub", "app")}).text)
    assert refusal(authenticator, shown, APP) == "invalid_token"


def test_whoever_is_recalled_loses_grants_at_once(
    authenticator: GrantAuthenticator, turnstile: Turnstile, grants: Grants
) -> None:
    shown = bearer(grants.issue(ANN, {("hub", "app")}).text)
    assert authenticator.admit(shown, APP) == ANN
    turnstile.gone.add("ann")
    assert refusal(authenticator, shown, APP) == "invalid_token"
    with pytest.raises(Unauthenticated):
        authenticator.granted(shown)
    turnstile.gone.clear()
    assert authenticator.admit(shown, APP) == ANN


def test_nobody_is_never_recalled(
    authenticator: GrantAuthenticator, turnstile: Turnstile, grants: Grants
) -> None:
    turnstile.gone.add(Principal().name)
    shown = bearer(grants.issue(Principal(), {("hub", "app")}).text)
    assert authenticator.admit(shown, evolve(APP, public=True)) == Principal()


def test_a_bearer_token_beside_another_credential_is_not_what_was_refused(
    authenticator: GrantAuthenticator,
) -> None:
    guess = Credentials("Bearer x", {"HTTP_PRIVATE_TOKEN": "guess"})
    assert refusal(authenticator, guess, APP) == ""
    assert refusal(authenticator, bearer("x"), APP) == "invalid_token"


def test_a_stranger_s_grant_is_good_for_as_long_as_strangers_may_pull(
    authenticator: GrantAuthenticator, grants: Grants
) -> None:
    shown = bearer(grants.issue(Principal(), {("hub", "app")}).text)
    authenticator.admit(shown, evolve(APP, public=True))
    assert refusal(authenticator, shown, APP) == "invalid_token"


def test_a_grant_is_worth_no_more_than_its_holder_s_rights_of_the_moment(
    authenticator: GrantAuthenticator, turnstile: Turnstile, grants: Grants
) -> None:
    shown = bearer(grants.issue(ANN, {("hub", "app")}).text)
    assert authenticator.admit(shown, APP) == ANN
    turnstile.demoted.add("ann")
    with pytest.raises(Forbidden):
        authenticator.admit(shown, APP)


def test_bearer_tokens_of_others_are_for_the_inner_authenticator(
    authenticator: GrantAuthenticator,
) -> None:
    assert authenticator.admit(bearer(FOREIGN), APP) == ANN
    assert authenticator.granted(bearer(FOREIGN)) is None


def test_clients_are_told_that_a_token_is_no_good_whoever_refused_it(
    authenticator: GrantAuthenticator,
) -> None:
    assert refusal(authenticator, bearer("unknown"), APP) == "invalid_token"
    assert refusal(authenticator, bearer(""), APP) == "invalid_token"


def test_without_a_bearer_token_there_is_none_to_complain_of(
    authenticator: GrantAuthenticator,
) -> None:
    assert refusal(authenticator, Credentials(), APP) == ""
    assert refusal(authenticator, LOGIN, APP) == ""


def test_the_grant_itself_can_be_had(authenticator: GrantAuthenticator, grants: Grants) -> None:
    granted = authenticator.granted(bearer(grants.issue(ANN, ()).text))
    assert granted is not None
    assert granted.principal == ANN
    assert authenticator.granted(Credentials()) is None
    assert authenticator.granted(LOGIN) is None


def test_a_refresh_token_is_decided_about_anew(
    authenticator: GrantAuthenticator, turnstile: Turnstile, grants: Grants
) -> None:
    principal = grants.redeem(grants.refresh(ANN))
    assert authenticator.readmits
    assert authenticator.readmit(principal, APP) == ANN
    with pytest.raises(Forbidden):
        authenticator.readmit(principal, Scope("hub", "lib/manifests/1", repository="lib"))
    turnstile.gone.add("ann")
    with pytest.raises(Unauthenticated) as raised:
        authenticator.readmit(principal, APP)
    assert raised.value.reason == "invalid_token"


def test_an_authenticator_that_cannot_decide_anew_has_no_refresh_tokens(grants: Grants) -> None:
    authenticator = GrantAuthenticator(BasicAuthenticator(USERS), grants)
    assert not authenticator.readmits
    with pytest.raises(Unauthenticated):
        authenticator.readmit(Principal("ann"), APP)


def test_grants_stand_where_nobody_can_be_recalled(grants: Grants) -> None:
    authenticator = GrantAuthenticator(Anonymous(), grants)
    assert isinstance(authenticator, Recalls)
    assert authenticator.stands(ANN)
    assert authenticator.admit(Credentials(), APP) == Principal()

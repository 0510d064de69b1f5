"""How often an authenticator is asked for one grant, and what the audit log has of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field

from tests.wsgi.doors import Named
from tests.wsgi.galleries import Galleries
from tests.wsgi.images import code
from tests.wsgi.tenants import SPECS, Audit, Office, add_user, basic, opened, told
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.core.scopes import MOST_SCOPES
from virtreg.errors import Forbidden, Unauthenticated
from virtreg.events import Denied, GrantIssued, SignInFailed
from virtreg.model import Credentials, Principal, Scope
from virtreg.testing.fakes import FakeClock
from virtreg.testing.memory import MemoryDirectory
from virtreg.wsgi.signins import SignInLimit

ANN: Named = {"Authorization": "ann"}
WRONG: Named = {"Authorization": "wrong"}


@define
class Porter:
    """Knows Ann, at a cost; strangers may pull from public registries."""

    checks: int = 0

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        self.checks += 1
        if credentials.authorization == "ann":
            return self._decide(Principal("ann"), scope)
        if scope.public:
            return Principal()
        raise Unauthenticated("who is that?")

    def _decide(self, principal: Principal, scope: Scope) -> Principal:
        if scope.registry == "theirs":
            raise Forbidden("not for you")
        return principal


@define
class Rememberer(Porter):
    """Decides without another check about whom it let in."""

    named: list[str] = field(factory=list)

    def readmit(self, principal: Principal, scope: Scope) -> Principal:
        self.named.append(principal.name)
        return self._decide(principal, scope)


def many(registry: str, number: int = MOST_SCOPES) -> list[str]:
    return [f"repository:{registry}/app{each}:pull" for each in range(number)]


@pytest.mark.parametrize("registry", ["ours", "open", "theirs"])
def test_a_wrong_login_is_asked_about_once_whatever_is_wanted(
    quick_galleries: Galleries, tmp_path: Path, registry: str
) -> None:
    porter = Porter()
    office = opened(quick_galleries, tmp_path, porter)
    assert office.ask(*many(registry), login=WRONG).status == 401
    assert porter.checks == 1


@pytest.mark.parametrize("registry", ["ours", "open", "theirs"])
def test_who_proved_who_they_are_is_not_asked_to_for_every_image(
    quick_galleries: Galleries, tmp_path: Path, registry: str
) -> None:
    porter = Rememberer()
    office = opened(quick_galleries, tmp_path, porter)
    # Registries may differ in whom they let in, so that each may have to be asked about its root.
    told(office.ask(*many(registry), login=ANN))
    assert porter.checks <= 1 + len(SPECS)
    assert porter.named == ["ann"] * (MOST_SCOPES - 1)


def test_an_authenticator_that_must_be_asked_is_asked_so_often_at_most(
    quick_galleries: Galleries, tmp_path: Path
) -> None:
    porter = Porter()
    office = opened(quick_galleries, tmp_path, porter)
    told(office.ask(*many("ours"), login=ANN))
    assert porter.checks == 1 + MOST_SCOPES


@pytest.mark.parametrize("login", [ANN, WRONG, {}], ids=["right", "wrong", "none"])
def test_too_much_at_once_is_refused_before_anybody_is_asked(
    quick_galleries: Galleries, tmp_path: Path, login: Named
) -> None:
    porter = Porter()
    office = opened(quick_galleries, tmp_path, porter)
    for scopes in (many("open", MOST_SCOPES + 1), [" ".join(many("open", 100))]):
        answer = office.ask(*scopes, login=login)
        assert (answer.status, code(answer)) == (400, "UNSUPPORTED")
    form = {"username": "ann", "password": "x", "scope": " ".join(many("open", 500))}
    assert office.post(grant_type="password", **form).status == 400
    assert porter.checks == 0


def test_a_guess_counts_as_one_where_strangers_may_pull(
    quick_galleries: Galleries, tmp_path: Path
) -> None:
    limit = SignInLimit(failures=3, clock=FakeClock())
    office = opened(quick_galleries, tmp_path, limit.guard(Porter()))
    guesses = [office.ask(*many("open"), login=WRONG).status for _ in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    told(office.ask(*many("open")))


@define
class Watched:
    """An office whose logins tell of denials, with Tom, who may know of ``theirs`` alone."""

    office: Office
    denials: Audit
    tom: Named


@pytest.fixture
def watched(quick_galleries: Galleries, tmp_path: Path) -> Iterator[Watched]:
    directory, denials = MemoryDirectory(), Audit()
    add_user(directory, "ann", "ours")
    tom = basic("tom", add_user(directory, "tom", "theirs"))
    logins = TokenAuthenticator(directory, FakeClock(), denials)
    yield Watched(opened(quick_galleries, tmp_path, logins), denials, tom)
    logins.close()


def test_finding_out_who_asks_is_no_denial(watched: Watched) -> None:
    for scopes in (
        (),
        ("repository:theirs/of-theirs/app:pull",),
        ("repository:open/of-open/app:pull",),
        ("nonsense", "repository:nowhere/app:pull"),
    ):
        told(watched.office.ask(*scopes, login=watched.tom))
    assert watched.denials.events == []
    given = watched.office.audit.events
    assert [(type(event), event.actor) for event in given] == [(GrantIssued, "tom")] * 4


def test_what_was_asked_for_and_not_given_is_one_denial(watched: Watched) -> None:
    told(watched.office.ask("repository:ours/of-ours/app:pull", login=watched.tom))
    (event,) = watched.denials.events
    assert isinstance(event, Denied)
    assert (event.actor, event.registry, event.path) == ("tom", "ours", "of-ours/app")
    assert event.hidden


def test_a_wrong_login_is_one_failure(watched: Watched) -> None:
    assert watched.office.ask(*many("open"), login=basic("tom", "guess")).status == 401
    (event,) = watched.denials.events
    assert isinstance(event, SignInFailed)
    assert (event.door, event.registry, event.path) == ("basic", "open", "")

"""Callers that sign in in vain, and tokens that are used too often."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import define, evolve, field

from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.protocols import Authenticator
from virtreg.testing.fakes import FakeClock
from virtreg.testing.gate import Gate
from virtreg.wsgi.limits import TooManyRequests
from virtreg.wsgi.signins import SignInLimit

SCOPE = Scope("solo", "org/example/a.pom")
PING = Scope("solo", "")


@define
class Doorkeeper:
    """Admits by ``Authorization``: those of ``users``, and nobody else."""

    users: dict[str, Principal] = field(factory=lambda: {"Basic joe": Principal("joe")})
    reason: str = ""
    asked: int = 0

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        self.asked += 1
        found = self.users.get(credentials.authorization or "")
        if found is None:
            if self.reason:
                raise Unauthenticated("unknown", reason="invalid_token")
            raise Unauthenticated("unknown")
        return found


def by(text: str | None, address: str = "198.51.100.7", **fields: str) -> Credentials:
    environ: Mapping[str, str] = {"REMOTE_ADDR": address, **fields}
    return Credentials(text, environ)


def outcome(limit: Authenticator, credentials: Credentials, scope: Scope = SCOPE) -> str:
    try:
        return limit.admit(credentials, scope).name
    except Unauthenticated:
        return "401"
    except TooManyRequests:
        return "429"


def test_failed_sign_ins_of_an_address_run_out() -> None:
    clock = FakeClock()
    keeper = Doorkeeper()
    limit = SignInLimit(failures=20, clock=clock).guard(keeper)
    guesses = [outcome(limit, by(f"Basic {number}")) for number in range(30)]
    assert guesses == ["401"] * 20 + ["429"] * 10
    assert keeper.asked == 20
    assert outcome(limit, by("Basic x", "198.51.100.8")) == "401"
    clock.advance(3)
    assert [outcome(limit, by("Basic x")) for _ in range(2)] == ["401", "429"]


@pytest.mark.parametrize(
    "token",
    [
        {"QUERY_STRING": "private%5Ftoken=x"},
        {"HTTP_PRIVATE_TOKEN": "x"},
        {"HTTP_DEPLOY_TOKEN": "x"},
        {"HTTP_JOB_TOKEN": "x"},
        {"HTTP_AUTHORIZATION": "Basic x"},
        {"QUERY_STRING": "a=b&private_token=x"},
    ],
    ids=str,
)
def test_failures_of_every_door_count(token: dict[str, str]) -> None:
    limit = SignInLimit(failures=1).guard(Doorkeeper())
    assert [outcome(limit, by(None, **token)) for _ in range(2)] == ["401", "429"]


def test_asking_for_the_challenge_is_no_failure() -> None:
    limit = SignInLimit(failures=1).guard(Doorkeeper())
    assert [outcome(limit, by(None)) for _ in range(5)] == ["401"] * 5
    assert outcome(limit, by("Basic x")) == "401"
    assert outcome(limit, by(None)) == "401"


def test_an_expired_grant_is_no_failure() -> None:
    limit = SignInLimit(failures=1).guard(Doorkeeper(reason="invalid_token"))
    assert [outcome(limit, by("Bearer old")) for _ in range(5)] == ["401"] * 5


def test_success_is_not_counted() -> None:
    limit = SignInLimit(failures=1).guard(Doorkeeper())
    assert [outcome(limit, by("Basic joe")) for _ in range(5)] == ["joe"] * 5


def test_one_who_fails_shuts_out_nobody_that_proved_good() -> None:
    keeper = Doorkeeper()
    limit = SignInLimit(failures=3).guard(keeper)
    for number in range(2):
        outcome(limit, by(f"Basic {number}"))
    assert outcome(limit, by("Basic joe")) == "joe"
    outcome(limit, by("Basic 2"))
    assert outcome(limit, by("Basic 3")) == "429"
    assert outcome(limit, by("Basic joe")) == "joe"


def test_what_was_let_in_as_nobody_s_proved_nothing() -> None:
    keeper = Doorkeeper({"Basic guess": Principal()})
    limit = SignInLimit(failures=2).guard(keeper)
    outcome(limit, by("Basic 0"))
    assert outcome(limit, by("Basic guess")) == "anonymous"
    outcome(limit, by("Basic 1"))
    assert outcome(limit, by("Basic guess")) == "429"


def test_what_proved_good_and_is_good_no_more_is_like_any_other() -> None:
    keeper = Doorkeeper()
    limit = SignInLimit(failures=2).guard(keeper)
    outcome(limit, by("Basic 0"))
    assert outcome(limit, by("Basic joe")) == "joe"
    keeper.users.clear()
    assert [outcome(limit, by("Basic joe")) for _ in range(3)] == ["401", "429", "429"]


def test_a_token_may_be_used_so_often_wherever_it_is_used() -> None:
    clock = FakeClock()
    keeper = Doorkeeper({"Bearer a": Principal("joe", "1"), "Bearer b": Principal("ann", "2")})
    limit = SignInLimit(requests=2, seconds=10, clock=clock).guard(keeper)
    used = [outcome(limit, by("Bearer a", f"198.51.100.{number}")) for number in range(3)]
    assert used == ["joe", "joe", "429"]
    assert outcome(limit, by("Bearer b")) == "ann"
    assert outcome(limit, by("Bearer a"), PING) == "joe"
    clock.advance(5)
    assert outcome(limit, by("Bearer a")) == "joe"


def test_zero_is_no_limit() -> None:
    keeper = Doorkeeper({"Bearer a": Principal("joe", "1")})
    limit = SignInLimit(failures=0, requests=0).guard(keeper)
    assert {outcome(limit, by("Bearer a")) for _ in range(2000)} == {"joe"}
    assert {outcome(limit, by("Bearer x")) for _ in range(100)} == {"401"}


def test_failures_are_counted_together_for_all_that_are_guarded() -> None:
    limit = SignInLimit(failures=2)
    doors = [limit.guard(Doorkeeper()) for _ in range(3)]
    assert [outcome(door, by("Basic x")) for door in doors] == ["401", "401", "429"]


@define
class Open(Doorkeeper):
    """Lets everybody in where strangers may pull."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        try:
            return super().admit(credentials, scope)
        except Unauthenticated:
            if scope.public:
                return Principal()
            raise


def test_what_everybody_may_pull_waits_for_nobody_s_failures() -> None:
    keeper = Open()
    limit = SignInLimit(failures=1).guard(keeper)
    assert outcome(limit, by("Basic x")) == "401"
    public = evolve(SCOPE, public=True)
    for shown in (None, "Basic of another registry"):
        assert outcome(limit, by(shown), public) == "anonymous"
    # Whoever guesses must not learn by it whether they are right.
    assert outcome(limit, by("Basic joe"), public) == "anonymous"
    assert outcome(limit, by("Basic joe")) == "429"
    assert outcome(limit, by("Basic joe"), evolve(public, action="read")) == "429"


@define
class Slow(Doorkeeper):
    """Lets the first one who comes wait for a sign."""

    gate: Gate = field(factory=Gate)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        if credentials.authorization == "Basic slow":
            self.gate.arrive()
        return super().admit(credentials, scope)


def test_the_last_place_is_tried_for_by_one_at_a_time() -> None:
    clock, keeper = FakeClock(), Slow()
    limit = SignInLimit(failures=2, clock=clock).guard(keeper)
    assert outcome(limit, by("Basic x")) == "401"
    with ThreadPoolExecutor(1) as thread:
        trying = thread.submit(outcome, limit, by("Basic slow"))
        keeper.gate.await_arrival()
        try:
            assert [outcome(limit, by(f"Basic {number}")) for number in range(3)] == ["429"] * 3
            assert outcome(limit, by("Basic y", "198.51.100.8")) == "401"
            assert outcome(limit, by(None)) == "401"
        finally:
            keeper.gate.release()
        assert trying.result() == "401"
    assert outcome(limit, by("Basic y")) == "429"
    clock.advance(30)
    assert [outcome(limit, by(f"Basic {number}")) for number in range(2)] == ["401", "429"]


@pytest.mark.parametrize("address", ["198.51.100.7", ""])
def test_who_succeeds_makes_room_for_the_next(address: str) -> None:
    limit = SignInLimit(failures=2).guard(Doorkeeper())
    asked = ("Basic x", "Basic joe", "Basic y", "Basic joe", "Basic z")
    answers = [outcome(limit, by(text, address)) for text in asked]
    assert answers == ["401", "joe", "401", "joe", "429"]


def test_a_login_that_strangers_need_is_waited_for_where_the_host_lets_nobody_in() -> None:
    limit = SignInLimit(failures=1).guard(Doorkeeper())
    assert outcome(limit, by("Basic x")) == "401"
    assert outcome(limit, by("Basic x"), evolve(SCOPE, public=True)) == "429"


def test_what_nobody_guesses_waits_for_nobody() -> None:
    keeper = Doorkeeper({"Bearer grant": Principal("joe")})
    limit = SignInLimit(failures=1).guard(
        keeper, lambda credentials: credentials.authorization == "Bearer grant"
    )
    assert [outcome(limit, by(text)) for text in ("Basic x", "Basic y")] == ["401", "429"]
    assert outcome(limit, by("Bearer grant")) == "joe"
    assert outcome(limit, by("Bearer other")) == "429"


def test_no_credential_is_shown() -> None:
    limit = SignInLimit(failures=1)
    door = limit.guard(Doorkeeper())
    outcome(door, by("Basic SECRET"))
    with pytest.raises(TooManyRequests) as caught:
        door.admit(by("Basic SECRET"), SCOPE)
    assert "SECRET" not in f"{caught.value!r}{vars(limit)!r}"

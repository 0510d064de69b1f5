"""Callers that ask too often, and those that sign in in vain."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import define, field

from virtreg.errors import Unauthenticated
from virtreg.model import Credentials, Principal, Scope
from virtreg.testing.fakes import FakeClock
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.limits import RequestLimit, SignInLimit, TooManyRequests

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


@define
class Recalling(Doorkeeper):
    def stands(self, principal: Principal) -> bool:
        return principal.name == "joe"


def by(text: str | None, address: str = "198.51.100.7", **fields: str) -> Credentials:
    environ: Mapping[str, str] = {"REMOTE_ADDR": address, **fields}
    return Credentials(text, environ)


def outcome(limit: SignInLimit, credentials: Credentials, scope: Scope = SCOPE) -> str:
    try:
        return limit.admit(credentials, scope).name
    except Unauthenticated:
        return "401"
    except TooManyRequests:
        return "429"


def test_an_address_may_ask_so_often_and_again_when_time_has_passed() -> None:
    clock = FakeClock()
    limit = RequestLimit(3, 15, clock=clock)
    for _ in range(3):
        limit.check({"REMOTE_ADDR": "198.51.100.7"})
    with pytest.raises(TooManyRequests) as caught:
        limit.check({"REMOTE_ADDR": "198.51.100.7"})
    assert caught.value.status == 429
    assert caught.value.retry_after == pytest.approx(5)
    limit.check({"REMOTE_ADDR": "198.51.100.8"})
    clock.advance(5)
    limit.check({"REMOTE_ADDR": "198.51.100.7"})


def test_loopback_is_an_address_like_others() -> None:
    limit = RequestLimit(1, 15)
    limit.check({"REMOTE_ADDR": "127.0.0.1"})
    with pytest.raises(TooManyRequests):
        limit.check({"REMOTE_ADDR": "127.0.0.1"})


def test_callers_behind_a_trusted_proxy_are_told_apart() -> None:
    limit = RequestLimit(1, 15, Addresses(["127.0.0.0/8"]))
    limit.check({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"})
    limit.check({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.8"})
    with pytest.raises(TooManyRequests):
        limit.check({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"})


def test_many_threads_get_no_more_than_one() -> None:
    limit = RequestLimit(500, 1000, clock=FakeClock())

    def ask(_: int) -> bool:
        try:
            limit.check({"REMOTE_ADDR": "198.51.100.7"})
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(ask, range(1000))) == 500


def test_failed_sign_ins_of_an_address_run_out() -> None:
    clock = FakeClock()
    keeper = Doorkeeper()
    limit = SignInLimit(keeper, failures=20, clock=clock)
    guesses = [outcome(limit, by(f"Basic {number}")) for number in range(30)]
    assert guesses == ["401"] * 20 + ["429"] * 10
    assert keeper.asked == 20
    assert outcome(limit, by("Basic x", "198.51.100.8")) == "401"
    clock.advance(3)
    assert [outcome(limit, by("Basic x")) for _ in range(2)] == ["401", "429"]


@pytest.mark.parametrize(
    "token",
    [
        {"HTTP_PRIVATE_TOKEN": "x"},
        {"HTTP_DEPLOY_TOKEN": "x"},
        {"HTTP_JOB_TOKEN": "x"},
        {"HTTP_AUTHORIZATION": "Basic x"},
        {"QUERY_STRING": "a=b&private_token=x"},
    ],
    ids=str,
)
def test_failures_of_every_door_count(token: dict[str, str]) -> None:
    limit = SignInLimit(Doorkeeper(), failures=1)
    assert [outcome(limit, by(None, **token)) for _ in range(2)] == ["401", "429"]


def test_asking_for_the_challenge_is_no_failure() -> None:
    limit = SignInLimit(Doorkeeper(), failures=1)
    assert [outcome(limit, by(None)) for _ in range(5)] == ["401"] * 5
    assert outcome(limit, by("Basic x")) == "401"
    assert outcome(limit, by(None)) == "401"


def test_an_expired_grant_is_no_failure() -> None:
    limit = SignInLimit(Doorkeeper(reason="invalid_token"), failures=1)
    assert [outcome(limit, by("Bearer old")) for _ in range(5)] == ["401"] * 5


def test_success_is_not_counted() -> None:
    limit = SignInLimit(Doorkeeper(), failures=1)
    assert [outcome(limit, by("Basic joe")) for _ in range(5)] == ["joe"] * 5


def test_one_who_fails_shuts_out_nobody_that_proved_good() -> None:
    keeper = Doorkeeper()
    limit = SignInLimit(keeper, failures=3)
    for number in range(2):
        outcome(limit, by(f"Basic {number}"))
    assert outcome(limit, by("Basic joe")) == "joe"
    outcome(limit, by("Basic 2"))
    assert outcome(limit, by("Basic 3")) == "429"
    assert outcome(limit, by("Basic joe")) == "joe"


def test_what_proved_good_and_is_good_no_more_is_like_any_other() -> None:
    keeper = Doorkeeper()
    limit = SignInLimit(keeper, failures=2)
    outcome(limit, by("Basic 0"))
    assert outcome(limit, by("Basic joe")) == "joe"
    keeper.users.clear()
    assert [outcome(limit, by("Basic joe")) for _ in range(3)] == ["401", "429", "429"]


def test_a_token_may_be_used_so_often_wherever_it_is_used() -> None:
    clock = FakeClock()
    keeper = Doorkeeper({"Bearer a": Principal("joe", "1"), "Bearer b": Principal("ann", "2")})
    limit = SignInLimit(keeper, requests=2, seconds=10, clock=clock)
    used = [outcome(limit, by("Bearer a", f"198.51.100.{number}")) for number in range(3)]
    assert used == ["joe", "joe", "429"]
    assert outcome(limit, by("Bearer b")) == "ann"
    assert outcome(limit, by("Bearer a"), PING) == "joe"
    clock.advance(5)
    assert outcome(limit, by("Bearer a")) == "joe"


def test_zero_is_no_limit() -> None:
    keeper = Doorkeeper({"Bearer a": Principal("joe", "1")})
    limit = SignInLimit(keeper, failures=0, requests=0)
    assert {outcome(limit, by("Bearer a")) for _ in range(2000)} == {"joe"}
    assert {outcome(limit, by("Bearer x")) for _ in range(100)} == {"401"}


def test_who_is_recalled_is_said_by_the_authenticator_inside() -> None:
    assert SignInLimit(Recalling()).stands(Principal("joe"))
    assert not SignInLimit(Recalling()).stands(Principal("ann"))
    assert SignInLimit(Doorkeeper()).stands(Principal("ann"))


def test_no_credential_is_shown() -> None:
    limit = SignInLimit(Doorkeeper(), failures=1)
    outcome(limit, by("Basic SECRET"))
    with pytest.raises(TooManyRequests) as caught:
        limit.admit(by("Basic SECRET"), SCOPE)
    assert "SECRET" not in f"{caught.value!r}{vars(limit)!r}"

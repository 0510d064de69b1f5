from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.auth.grants.forging import opened
from virtreg.backends.auth.grants import Granted, Grants, Keys
from virtreg.errors import ConfigError, InvalidRequest, Unauthenticated
from virtreg.model import Principal
from virtreg.testing.fakes import FakeClock

ANN = Principal("ann", "17")
ACCESS = frozenset({("hub", "library/nginx"), ("mirror", "a/b")})
PRINCIPALS = st.builds(Principal, st.text(min_size=1, max_size=20), st.none() | st.text(max_size=9))
ACCESSES = st.frozensets(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Grants:
    return Grants(Keys(tmp_path_factory.mktemp("keys")), "images.example")


@settings(max_examples=50, deadline=None)
@given(principal=PRINCIPALS, access=ACCESSES)
def test_what_was_granted_is_what_is_verified(
    lasting: Grants, principal: Principal, access: frozenset[tuple[str, str]]
) -> None:
    granted = lasting.verify(lasting.issue(principal, access).text)
    assert (granted.principal, granted.access) == (principal, access)
    assert lasting.redeem(lasting.refresh(principal)) == principal


@settings(max_examples=100)
@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_no_text_raises_anything_but_a_refusal(lasting: Grants, text: str) -> None:
    lasting.recognizes(text)
    for check in (lasting.verify, lasting.redeem):
        with pytest.raises(Unauthenticated) as refusal:
            check(text)
        assert refusal.value.reason == "invalid_token"


def test_nobody_stays_nobody_and_is_the_empty_subject(grants: Grants) -> None:
    text = grants.issue(Principal(), ACCESS).text
    assert opened(text)[1]["sub"] == ""
    assert grants.verify(text).principal == Principal()


def test_a_grant_tells_its_life_and_has_an_id_of_its_own(grants: Grants, clock: FakeClock) -> None:
    first, second = grants.issue(ANN, ACCESS), grants.issue(ANN, ACCESS)
    text, expires_in, issued_at = first
    assert (expires_in, issued_at) == (300, clock())
    granted = grants.verify(text)
    kid = opened(text)[0]["kid"]
    assert granted == Granted(ANN, ACCESS, clock() + 300, granted.id, str(kid))
    assert grants.verify(second.text).id != granted.id


def test_the_access_is_told_as_token_services_tell_it(grants: Grants) -> None:
    claims = opened(grants.issue(ANN, {("hub", "library/nginx")}).text)[1]
    assert claims["access"] == [
        {"type": "repository", "registry": "hub", "name": "library/nginx", "actions": ["pull"]}
    ]


def test_a_grant_of_nothing_is_a_login(grants: Grants) -> None:
    granted = grants.verify(grants.issue(ANN, ()).text)
    assert (granted.principal, granted.access) == (ANN, frozenset())


@pytest.mark.parametrize("seen_before", [False, True], ids=["unseen", "seen"])
def test_a_grant_is_good_until_the_leeway_is_over(
    grants: Grants, clock: FakeClock, seen_before: bool
) -> None:
    text = grants.issue(ANN, ACCESS).text
    if seen_before:
        grants.verify(text)
    clock.advance(359)
    if seen_before:
        grants.verify(text)
    clock.advance(1)
    with pytest.raises(Unauthenticated, match="expired") as refusal:
        grants.verify(text)
    assert refusal.value.reason == "invalid_token"


def test_an_unseen_grant_is_good_in_its_last_second(grants: Grants, clock: FakeClock) -> None:
    text = grants.issue(ANN, ACCESS).text
    clock.advance(359)
    assert grants.verify(text).principal == ANN


@pytest.mark.parametrize(("behind", "good"), [(60, True), (61, False)])
def test_a_clock_may_be_a_minute_behind(
    grants: Grants, clock: FakeClock, behind: int, good: bool
) -> None:
    text = grants.issue(ANN, ACCESS).text
    clock.advance(-behind)
    if good:
        assert grants.verify(text).principal == ANN
    else:
        with pytest.raises(Unauthenticated, match="not valid yet"):
            grants.verify(text)


def test_the_clock_that_was_given_counts_and_no_other(keys: Keys) -> None:
    in_a_century = FakeClock(time.time() + 100 * 365 * 86_400)
    grants = Grants(keys, "images.example", in_a_century)
    assert grants.verify(grants.issue(ANN, ACCESS).text).principal == ANN


def test_refresh_tokens_are_good_for_thirty_days(grants: Grants, clock: FakeClock) -> None:
    text = grants.refresh(ANN)
    clock.advance(30 * 86_400 + 59)
    assert grants.redeem(text) == ANN
    clock.advance(1)
    with pytest.raises(Unauthenticated, match="expired"):
        grants.redeem(text)


def test_refresh_tokens_outlive_the_rotation_of_keys(
    grants: Grants, keys: Keys, clock: FakeClock
) -> None:
    text = grants.refresh(ANN)
    keys.rotate()
    clock.advance(30 * 86_400)
    assert grants.redeem(text) == ANN


def test_refresh_tokens_say_nothing_of_what_is_allowed(grants: Grants) -> None:
    claims = opened(grants.refresh(ANN))[1]
    assert set(claims) == {"iss", "aud", "sub", "token", "iat", "nbf", "exp", "jti"}


def test_each_kind_of_token_is_refused_as_the_other(grants: Grants) -> None:
    with pytest.raises(Unauthenticated, match="a refresh token, not a grant token"):
        grants.verify(grants.refresh(ANN))
    with pytest.raises(Unauthenticated, match="a grant token, not a refresh token"):
        grants.redeem(grants.issue(ANN, ACCESS).text)


def test_grants_of_another_service_are_not_known(
    grants: Grants, keys: Keys, clock: FakeClock
) -> None:
    other = Grants(keys, "other.example", clock)
    text = other.issue(ANN, ACCESS).text
    assert other.verify(text).principal == ANN
    with pytest.raises(Unauthenticated, match="not one of this service"):
        grants.verify(text)


def test_grants_of_other_keys_are_not_known(
    tmp_path: Path, grants: Grants, clock: FakeClock
) -> None:
    other = Grants(Keys(tmp_path / "other", clock), "images.example", clock)
    with pytest.raises(Unauthenticated, match="key that is not known"):
        grants.verify(other.issue(ANN, ACCESS).text)


def test_processes_of_one_folder_know_each_others_grants(
    tmp_path: Path, grants: Grants, clock: FakeClock
) -> None:
    other = Grants(Keys(tmp_path / "keys", clock), "images.example", clock)
    assert grants.verify(other.issue(ANN, ACCESS).text).principal == ANN


def test_every_grant_that_is_given_out_is_short_enough_to_be_shown(grants: Grants) -> None:
    repositories = [("hub", f"{number:0255}") for number in range(100)]
    text = grants.issue(ANN, repositories[:10]).text
    assert len(grants.verify(text).access) == 10
    with pytest.raises(InvalidRequest, match="fewer"):
        grants.issue(ANN, repositories)


def test_only_our_tokens_are_recognized_good_or_not(grants: Grants, clock: FakeClock) -> None:
    ours = [grants.issue(ANN, ACCESS).text, grants.refresh(ANN)]
    clock.advance(10**8)
    assert all(grants.recognizes(text) and grants.recognizes(text + "x") for text in ours)
    assert not grants.recognizes("vrp_0123456789")
    assert not grants.recognizes("")


def test_grants_that_no_longer_fit_in_memory_are_verified_again(
    keys: Keys, clock: FakeClock
) -> None:
    grants = Grants(keys, "images.example", clock, remembered=2)
    texts = [grants.issue(ANN, {("hub", f"app{number}")}).text for number in range(5)]
    for _ in range(2):
        for number, text in enumerate(texts):
            assert grants.verify(text).access == {("hub", f"app{number}")}


def test_a_grant_that_is_remembered_is_the_same_value(grants: Grants) -> None:
    text = grants.issue(ANN, ACCESS).text
    assert grants.verify(text) is grants.verify(text)


def test_threads_each_get_their_own_grant(keys: Keys, clock: FakeClock) -> None:
    grants = Grants(keys, "images.example", clock, remembered=4)
    texts = {f"user{n}": grants.issue(Principal(f"user{n}"), ACCESS).text for n in range(8)}
    with ThreadPoolExecutor(8) as pool:
        names = list(
            pool.map(lambda text: grants.verify(text).principal.name, [*texts.values()] * 10)
        )
    assert names == [*texts] * 10


def test_no_text_is_printed(grants: Grants) -> None:
    issued = grants.issue(ANN, ACCESS)
    grants.verify(issued.text)
    assert issued.text not in repr(issued)
    assert issued.text not in str(issued)
    assert issued.text not in repr(grants)


def test_lives_out_of_bounds_and_services_without_a_name_are_refused(keys: Keys) -> None:
    for seconds in (59, 86_401):
        with pytest.raises(ConfigError, match=f"60 to 86400 seconds, not {seconds}"):
            Grants(keys, "images.example", seconds=seconds)
    with pytest.raises(ConfigError, match="no name"):
        Grants(keys, "")


def refused(grants: Grants, text: str) -> bool:
    with pytest.raises(Unauthenticated) as refusal:
        grants.verify(text)
    return refusal.value.reason == "invalid_token"


def test_a_removed_key_ends_what_it_signed_also_where_that_is_remembered(
    grants: Grants, keys: Keys
) -> None:
    before = grants.issue(ANN, ACCESS).text
    assert grants.verify(before).principal == ANN
    keys.remove(1)
    assert refused(grants, before)
    after = grants.issue(ANN, ACCESS).text
    assert grants.verify(after).principal == ANN


def test_a_key_removed_elsewhere_ends_what_it_signed_within_a_second(
    grants: Grants, tmp_path: Path, clock: FakeClock
) -> None:
    shown = grants.issue(ANN, ACCESS).text
    grants.verify(shown)
    Keys(tmp_path / "keys", clock).remove(1)
    clock.advance(0.9)
    assert grants.verify(shown).principal == ANN
    clock.advance(0.1)
    assert refused(grants, shown)


def test_an_older_key_s_grants_are_good_after_a_rotation(grants: Grants, keys: Keys) -> None:
    shown = grants.issue(ANN, ACCESS).text
    keys.rotate()
    for _ in range(2):
        assert grants.verify(shown).principal == ANN

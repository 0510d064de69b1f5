from __future__ import annotations

from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.auth.people import basic, bearer, header, query
from virtreg.backends.auth.doors import Shown, door_of, look_into, presented
from virtreg.core.identity import Token, TokenKind
from virtreg.errors import Unauthenticated
from virtreg.model import Credentials

PERSONAL = Token("t1", TokenKind.PERSONAL, "laptop", "ann", frozenset(), 1.0)
EVERY = set(TokenKind)


def shown(credentials: Credentials, *, by_query: bool = False) -> Shown:
    credential = presented(credentials, query=by_query)
    assert credential is not None
    return look_into(credential)


@pytest.mark.parametrize(
    ("credentials", "door", "kinds", "username"),
    [
        (header("Private-Token", "text"), "private-token", {"personal", "group"}, None),
        (header("Deploy-Token", "text"), "deploy-token", {"deploy"}, None),
        (header("Job-Token", "text"), "job-token", {"job"}, None),
        (bearer("text"), "bearer", EVERY, None),
        (basic("ann", "text"), "basic", EVERY, "ann"),
        (query("private_token=text"), "private_token", {"personal", "group"}, None),
        (query("job_token=text"), "job_token", {"job"}, None),
        (query("access_token=text"), "access_token", EVERY, None),
    ],
)
def test_every_door_takes_its_kinds(
    credentials: Credentials, door: str, kinds: set[str], username: str | None
) -> None:
    found = shown(credentials, by_query=True)
    assert (found.door.name, {*map(str, found.door.kinds)}) == (door, kinds)
    assert (found.secret, found.username) == ("text", username)


def test_the_first_door_that_is_used_counts() -> None:
    everything = Credentials(
        basic("ann", "five").authorization,
        {
            "HTTP_PRIVATE_TOKEN": "one",
            "HTTP_DEPLOY_TOKEN": "two",
            "HTTP_JOB_TOKEN": "three",
            "QUERY_STRING": "access_token=seven&job_token=six&private_token=five&private_token=x",
        },
    )
    order = []
    for key in ("HTTP_PRIVATE_TOKEN", "HTTP_DEPLOY_TOKEN", "HTTP_JOB_TOKEN"):
        order.append(shown(everything).secret)
        left = {name: value for name, value in everything.environ.items() if name != key}
        everything = evolve(everything, environ=left)
    order.append(shown(everything).secret)
    everything = evolve(everything, authorization=None)
    order.append(shown(everything, by_query=True).secret)
    assert order == ["one", "two", "three", "five", "five"]
    assert presented(everything) is None


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(),
        Credentials(""),
        Credentials(" \t"),
        header("Private-Token", ""),
        header("X-Private-Token", "text"),
        query(""),
        query("private_token="),
        query("token=text"),
        query("&".join(f"a{number}=b" for number in range(200)) + "&private_token=text"),
    ],
)
def test_nothing_is_shown(credentials: Credentials) -> None:
    assert presented(credentials, query=True) is None


@pytest.mark.parametrize(
    ("value", "door", "reason"),
    [
        ("Digest username=ann", "authorization", "Basic or the Bearer scheme"),
        ("hunter2", "authorization", "Basic or the Bearer scheme"),
        ("Bearer", "bearer", "Bearer"),
        ("bearer  ", "bearer", "Bearer"),
        ("Basic !!hunter2", "basic", "base64"),
        ("Basic aHVudGVyMg==", "basic", "hold no ':'"),
    ],
)
def test_what_is_malformed_is_refused_with_the_reason(value: str, door: str, reason: str) -> None:
    credential = presented(Credentials(value))
    assert credential is not None
    assert door_of(credential).name == door
    with pytest.raises(Unauthenticated, match=reason) as refusal:
        look_into(credential)
    assert "hunter2" not in str(refusal.value)


def test_what_is_shown_is_not_printed() -> None:
    printed = repr(shown(basic("hunter1", "hunter2")))
    assert "basic" in printed
    assert "hunter" not in printed


def test_a_user_name_must_be_the_tokens() -> None:
    assert shown(basic("ann", "text")).fits(PERSONAL)
    for name in ("", "Ann", "ann ", "ben", "gitlab-ci-token"):
        assert not shown(basic(name, "text")).fits(PERSONAL)
    assert shown(bearer("text")).fits(PERSONAL)


def test_a_job_token_has_a_user_name_of_its_own() -> None:
    job = evolve(PERSONAL, kind=TokenKind.JOB)
    assert shown(basic("gitlab-ci-token", "text")).fits(job)
    assert not shown(basic("ann", "text")).fits(job)


def test_a_token_of_another_kind_does_not_fit() -> None:
    assert not shown(header("Deploy-Token", "text")).fits(PERSONAL)
    assert not shown(header("Job-Token", "text")).fits(PERSONAL)
    assert not shown(header("Private-Token", "t")).fits(evolve(PERSONAL, kind=TokenKind.DEPLOY))


VALUES = st.text(max_size=40)


@given(st.none() | VALUES, VALUES, VALUES, VALUES, VALUES)
def test_anything_is_read_or_refused(
    authorization: str | None, private: str, deploy: str, job: str, parameters: str
) -> None:
    environ = {
        "HTTP_PRIVATE_TOKEN": private,
        "HTTP_DEPLOY_TOKEN": deploy,
        "HTTP_JOB_TOKEN": job,
        "QUERY_STRING": parameters,
    }
    credential = presented(Credentials(authorization, environ), query=True)
    if credential is not None:
        with suppress(Unauthenticated):
            assert look_into(credential).door in (credential[0], door_of(credential))


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":")),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_basic_gives_back_what_was_put_in(username: str, secret: str) -> None:
    found = shown(basic(username, secret))
    assert (found.username, found.secret) == (username, secret)

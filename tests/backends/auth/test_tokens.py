from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress

import pytest
from attrs import evolve

from tests.backends.auth.people import (
    OURS,
    PUBLIC,
    People,
    basic,
    bearer,
    header,
    query,
)
from tests.core.permission_table import Case, cases
from virtreg.backends.auth.secret_text import digest_of
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.core.identity import Role, Token, TokenKind, TokenScope, User
from virtreg.core.permissions import REQUIREMENTS, Verdict
from virtreg.errors import Forbidden, NotFound, Unauthenticated, VirtregError
from virtreg.events import AuditEvent, Denied, SignInFailed
from virtreg.model import Action, Credentials, Principal, Scope
from virtreg.protocols import Authenticator, Directory, Readmits, Recalls
from virtreg.testing.authenticators import AuthenticatorSuite
from virtreg.testing.fakes import FakeClock
from virtreg.testing.memory import MemoryDirectory

SECRETS = {"ann": "vrp_" + "a" * 43, "robot": "vrd_" + "b" * 43}


class TestTokenAuthenticator(AuthenticatorSuite):
    scope = OURS

    def make_authenticator(self) -> Authenticator:
        people = People()
        pull = frozenset({TokenScope.READ_VIRTUAL_REGISTRY})
        for token_id, name, kind in (
            ("t1", "ann", TokenKind.PERSONAL),
            ("t2", "robot", TokenKind.DEPLOY),
        ):
            group = "ours" if kind is TokenKind.DEPLOY else None
            token = Token(token_id, kind, name, name, pull, 1.0, group)
            people.directory.add_token(token, digest_of(SECRETS[name]))
        return TokenAuthenticator(people.directory, FakeClock())

    def admitted(self) -> Sequence[Credentials]:
        return [
            basic("ann", SECRETS["ann"]),
            bearer(SECRETS["ann"]),
            header("Private-Token", SECRETS["ann"]),
            header("Deploy-Token", SECRETS["robot"]),
            basic("robot", SECRETS["robot"]),
        ]

    def refused(self) -> Sequence[Credentials]:
        return [
            Credentials(),
            basic("ben", SECRETS["ann"]),
            basic("ann", SECRETS["robot"]),
            bearer(SECRETS["ann"].lower() + "x"),
            header("Job-Token", SECRETS["ann"]),
            query("private_token=" + SECRETS["ann"]),
        ]


def outcome(directory: Directory, credentials: Credentials, scope: Scope) -> Verdict:
    with closing(TokenAuthenticator(directory, FakeClock())) as authenticator:
        try:
            authenticator.admit(credentials, scope)
        except Unauthenticated:
            return Verdict.UNKNOWN
        except NotFound:
            return Verdict.HIDDEN
        except Forbidden:
            return Verdict.FORBIDDEN
        return Verdict.ALLOWED


def possible(case: Case) -> bool:
    """Whether a directory can say so: robots are no administrators and are members of one group,
    as guests where they deploy."""
    if case.kind is TokenKind.DEPLOY:
        return case.role in (None, Role.GUEST) and not case.administrator
    return case.kind is not TokenKind.GROUP or not case.administrator


@pytest.mark.parametrize("action", REQUIREMENTS)
def test_the_whole_matrix_holds_with_tokens_out_of_a_directory(action: Action) -> None:
    people = People()
    rows = [case for case in cases() if case.action == action and possible(case)]
    for number, case in enumerate(rows):
        name = f"user{number}"
        people.add(name, case.role, administrator=case.administrator)
        secret = people.token(
            case.kind,
            name,
            scopes=frozenset({case.scope}),
            role=case.role,
            group="theirs" if case.role is None else "ours",
        )
        scope = evolve(OURS, action=action)
        assert outcome(people.directory, bearer(secret), scope) is case.verdict, str(case)
    assert len(rows) > 70


@pytest.mark.parametrize("kind", TokenKind)
def test_a_token_comes_by_its_doors_and_by_no_other(kind: TokenKind) -> None:
    people = People()
    secret = people.token(kind, "ann", scopes=frozenset({TokenScope.API}))
    username = "gitlab-ci-token" if kind is TokenKind.JOB else "ann"
    doors = {
        "Private-Token": {TokenKind.PERSONAL, TokenKind.GROUP},
        "Deploy-Token": {TokenKind.DEPLOY},
        "Job-Token": {TokenKind.JOB},
    }
    for name, kinds in doors.items():
        expected = Verdict.ALLOWED if kind in kinds else Verdict.UNKNOWN
        assert outcome(people.directory, header(name, secret), OURS) is expected
    for credentials in (basic(username, secret), bearer(secret)):
        assert outcome(people.directory, credentials, OURS) is Verdict.ALLOWED
    for wrong in ("ben", "", "ann" if kind is TokenKind.JOB else "gitlab-ci-token"):
        assert outcome(people.directory, basic(wrong, secret), OURS) is Verdict.UNKNOWN


def test_a_query_counts_except_for_pulls() -> None:
    people = People()
    secret = people.token(scopes=frozenset({TokenScope.API}))
    shown = query(f"page=2&private_token={secret}")
    assert outcome(people.directory, shown, evolve(OURS, action="read")) is Verdict.ALLOWED
    assert outcome(people.directory, shown, OURS) is Verdict.UNKNOWN


def test_the_principal_is_the_user_with_the_tokens_id() -> None:
    people = People()
    mine, job = people.token(), people.token(TokenKind.JOB)
    robot = people.token(TokenKind.DEPLOY, "deploy-1")
    with closing(TokenAuthenticator(people.directory)) as authenticator:
        admitted = [authenticator.admit(bearer(text), OURS) for text in (mine, job, robot)]
    assert admitted == [Principal("ann", "t1"), Principal("ann", "t2"), Principal("deploy-1", "t3")]


def test_unknown_expired_revoked_blocked_and_borrowed_tokens_look_alike() -> None:
    people, clock = People(), FakeClock()
    people.add("ben", Role.GUEST)
    good, revoked, bens = people.token(), people.token(), people.token(username="ben")
    expired = people.token(expires_at=clock())
    people.directory.revoke_token("t2", clock())
    people.directory.save_user(User("ben", blocked=True))
    names = {revoked: "ann", expired: "ann", bens: "ben", good: "ben", good + "x": "ann"}
    with closing(TokenAuthenticator(people.directory, clock)) as authenticator:
        said = {refused(authenticator, basic(name, text)) for text, name in names.items()}
        said |= {refused(authenticator, basic("nobody", good))}
        assert len(said) == 1
        bare = {refused(authenticator, bearer(text)) for text in (revoked, expired, bens, "x")}
        assert len(bare) == 1
        assert authenticator.admit(basic("ann", good), OURS).name == "ann"


def refused(authenticator: TokenAuthenticator, credentials: Credentials) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        authenticator.admit(credentials, OURS)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("action", "scope", "said"),
    [
        ("pull", TokenScope.READ_API, "pull: the token needs one of the scopes api, read_virtual_"),
        ("configure", TokenScope.READ_API, "configure: the token needs the scope api"),
        ("configure", TokenScope.API, "configure: the role maintainer in group 'ours' is needed"),
        ("switch", TokenScope.API, "switch: an administrator is needed"),
    ],
)
def test_who_may_not_is_told_what_it_takes(action: Action, scope: TokenScope, said: str) -> None:
    people = People()
    secret = people.token(scopes=frozenset({scope}))
    with (
        closing(TokenAuthenticator(people.directory)) as authenticator,
        pytest.raises(Forbidden) as refusal,
    ):
        authenticator.admit(bearer(secret), evolve(OURS, action=action))
    assert str(refusal.value).startswith(said)


def test_what_is_hidden_is_refused_as_what_is_not_there() -> None:
    people = People()
    secret = people.token()
    with closing(TokenAuthenticator(people.directory)) as authenticator:
        said = set()
        for group in ("theirs", "nowhere"):
            with pytest.raises(NotFound) as refusal:
                authenticator.admit(bearer(secret), evolve(OURS, group=group, registry=group))
            said.add((str(refusal.value), refusal.value.path, refusal.value.expires_at))
    assert len(said) == 1


def test_of_a_group_that_is_switched_off_not_even_the_public_may_pull() -> None:
    people = People()
    secret = people.token()
    people.directory.switch_group("ours", False)
    assert outcome(people.directory, Credentials(), PUBLIC) is Verdict.UNKNOWN
    assert outcome(people.directory, bearer(secret), PUBLIC) is Verdict.HIDDEN
    people.directory.switch_group("ours", True)
    assert outcome(people.directory, bearer(secret), PUBLIC) is Verdict.ALLOWED


def test_where_strangers_may_pull_wrong_credentials_are_those_of_a_stranger() -> None:
    people = People()
    secret = people.token()
    with closing(TokenAuthenticator(people.directory)) as authenticator:
        for stranger in (Credentials(), basic("hub", "foreign"), Credentials("Digest x")):
            assert authenticator.admit(stranger, PUBLIC) == Principal()
            with pytest.raises(Unauthenticated):
                authenticator.admit(stranger, evolve(PUBLIC, action="read"))
        assert authenticator.admit(bearer(secret), PUBLIC) == Principal("ann", "t1")


def test_a_public_registry_of_a_group_nobody_made_is_public() -> None:
    scope = evolve(PUBLIC, group="default")
    assert outcome(MemoryDirectory(), Credentials(), scope) is Verdict.ALLOWED


def test_a_token_without_what_its_kind_needs_is_good_for_nothing() -> None:
    people = People()
    people.directory.add_token(
        Token("t9", TokenKind.GROUP, "no role", "robot", frozenset(TokenScope), 1.0, "ours"),
        digest_of("text"),
    )
    assert outcome(people.directory, bearer("text"), PUBLIC) is Verdict.ALLOWED
    assert outcome(people.directory, bearer("text"), OURS) is Verdict.UNKNOWN


def test_denials_are_told_with_what_is_known_and_no_secret() -> None:
    people = People()
    secret = people.token()
    told: list[AuditEvent] = []
    with closing(TokenAuthenticator(people.directory, on_denied=told.append)) as authenticator:
        asks = [
            (Credentials(), OURS),
            (Credentials(f"Basic {secret}"), OURS),
            (bearer(secret), OURS),
            (bearer(secret), evolve(OURS, group="theirs")),
            (bearer(secret), evolve(OURS, group="theirs", path="")),
            (bearer(secret), evolve(OURS, action="read")),
            (basic("hub", "foreign"), PUBLIC),
        ]
        for credentials, scope in asks:
            with suppress(VirtregError):
                authenticator.admit(
                    evolve(credentials, environ={"REMOTE_ADDR": "192.0.2.7"}), scope
                )
    where = {"registry": "main", "path": "a/b", "address": "192.0.2.7"}
    ann = {**where, "actor": "ann", "token_id": "t1"}
    assert told == [
        SignInFailed(door="basic", **where),
        Denied(action="pull", hidden=True, **ann),
        Denied(action="read", hidden=False, **ann),
    ]
    assert secret not in repr(told)


def test_a_principal_stands_while_its_token_is_good() -> None:
    people, clock = People(), FakeClock()
    people.add("ben", Role.GUEST)
    secrets = [people.token(), people.token(username="ben"), people.token(expires_at=clock() + 60)]
    with closing(TokenAuthenticator(people.directory, clock)) as authenticator:
        assert isinstance(authenticator, Recalls)
        first, second, third = (authenticator.admit(bearer(text), OURS) for text in secrets)
        for _ in range(2):
            assert all(authenticator.stands(principal) for principal in (first, second, third))
        people.directory.revoke_token("t1", clock())
        people.directory.save_user(User("ben", blocked=True))
        clock.advance(60)
        for _ in range(2):
            assert not any(authenticator.stands(principal) for principal in (first, second, third))
        people.directory.save_user(User("ben"))
        assert authenticator.stands(second)
        people.directory.remove_user("ben")
        assert not authenticator.stands(second)


def test_who_has_no_token_stands_and_who_has_an_unknown_one_does_not() -> None:
    with closing(TokenAuthenticator(MemoryDirectory())) as authenticator:
        assert authenticator.stands(Principal())
        assert authenticator.stands(Principal("ann"))
        assert not authenticator.stands(Principal("ann", "t1"))


def test_who_comes_back_gets_what_the_token_would_get() -> None:
    people, clock = People(), FakeClock()
    secret = people.token(expires_at=clock() + 60)
    with closing(TokenAuthenticator(people.directory, clock)) as authenticator:
        assert isinstance(authenticator, Readmits)
        ann = authenticator.admit(bearer(secret), OURS)
        for scope in (OURS, PUBLIC):
            assert authenticator.readmit(ann, scope) == ann
        with pytest.raises(NotFound):
            authenticator.readmit(ann, evolve(OURS, group="theirs"))
        with pytest.raises(Forbidden):
            authenticator.readmit(ann, evolve(OURS, action="read"))
        people.directory.set_role("ours", "ann", None)
        with pytest.raises(NotFound):
            authenticator.readmit(ann, OURS)
        clock.advance(60)
        for principal in (ann, Principal("ann", "t9"), Principal("ann"), Principal()):
            for scope in (OURS, PUBLIC):
                with pytest.raises(Unauthenticated, match="expired or was revoked"):
                    authenticator.readmit(principal, scope)


def test_who_comes_back_and_may_not_is_told_of() -> None:
    people = People()
    secret = people.token()
    told: list[AuditEvent] = []
    with closing(TokenAuthenticator(people.directory, on_denied=told.append)) as authenticator:
        ann = authenticator.admit(bearer(secret), OURS)
        with pytest.raises(Forbidden):
            authenticator.readmit(ann, evolve(OURS, action="read"))
    assert [(type(event), event.actor, event.token_id) for event in told] == [(Denied, "ann", "t1")]

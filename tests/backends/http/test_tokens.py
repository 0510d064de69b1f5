"""Registries that want tokens."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.backends.http.peers import LOOPBACK, fetched, get, upstream
from virtreg.backends.http import HttpUpstream
from virtreg.backends.http.tokens import Token
from virtreg.backends.http.tokenservice import read_token
from virtreg.errors import (
    EgressRefused,
    UpstreamDenied,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from virtreg.model import Fetch, Secret, UpstreamSpec
from virtreg.testing.fakes import FakeClock
from virtreg.testing.gate import Gate
from virtreg.testing.origin import Lock, Origin, Tokens, basic

LOGIN: dict[str, Any] = {"username": "joe", "password": Secret("pässWORD")}


def scope(name: str) -> str:
    return f"repository:{name}:pull"


def asked(name: str = "a", **more: Any) -> Fetch:
    return Fetch(f"v2/{name}/manifests/1", scope=scope(name), **more)


def publish(origin: Origin, tokens: Tokens, *names: str, **lock: Any) -> None:
    """A registry and its token service on one origin."""
    realm = lock.pop("realm", f"{origin.url}/token")
    origin.put("token", mint=tokens)
    for name in names or ("a",):
        guarded = Lock(tokens, realm, lock.pop("scope", scope(name)), **lock)
        origin.put(f"v2/{name}/manifests/1", name.encode(), lock=guarded)


def proofs(origin: Origin) -> list[tuple[str, str]]:
    """Path and scheme of what was sent, in order."""
    return [
        (seen.path, seen.headers.get("authorization", "nothing").split(" ")[0])
        for seen in origin.requests
    ]


@pytest.mark.parametrize("member", ["token", "access_token"])
def test_a_challenge_is_answered_with_a_token_for_anybody(member: str) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, Tokens(member=member))
        assert get(up, asked()) == (200, b"a")
        assert proofs(origin) == [
            ("v2/a/manifests/1", "nothing"),
            ("token", "nothing"),
            ("v2/a/manifests/1", "Bearer"),
        ]
        assert origin.requests[1].query == (
            ("service", "origin"),
            ("client_id", "virtreg"),
            ("scope", "repository:a:pull"),
        )


def test_the_next_request_of_a_scope_sends_the_token_at_once() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, Tokens())
        for _ in range(3):
            assert get(up, asked()) == (200, b"a")
        assert origin.count("token") == 1
        assert proofs(origin)[3:] == [("v2/a/manifests/1", "Bearer")] * 2


def test_the_login_goes_to_the_token_service_alone() -> None:
    tokens = Tokens(login=("joe", "pässWORD"))
    with Origin() as origin, upstream(origin.url, **LOGIN) as up:
        publish(origin, tokens)
        assert get(up, asked()) == (200, b"a")
        assert [scheme for _, scheme in proofs(origin)] == ["nothing", "Basic", "Bearer"]
    assert [issued.login for issued in tokens.issued] == ["joe"]


def test_another_repository_of_a_host_gets_its_token_without_a_challenge() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, Tokens(), "a", "b/c")
        get(up, asked("a"))
        assert get(up, asked("b/c")) == (200, b"b/c")
        assert proofs(origin)[3:] == [("token", "nothing"), ("v2/b/c/manifests/1", "Bearer")]


def test_the_scope_that_the_challenge_names_is_asked_for() -> None:
    tokens = Tokens()
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, tokens, scope=scope("org/a"))
        publish(origin, tokens, "b", told=None)
        for _ in range(2):
            assert get(up, asked("a")) == (200, b"a")
        assert get(up, asked("b")) == (200, b"b")
    assert [issued.scope for issued in tokens.issued] == [scope("org/a"), scope("b")]
    assert origin.count("v2/b/manifests/1") == 2  # what a renaming host wants is not guessed


def test_a_challenge_without_a_service_and_among_others_is_answered() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, Tokens(), service=None, prefix='Negotiate, Basic realm="x", ')
        assert get(up, asked()) == (200, b"a")
        assert [name for name, _ in origin.requests[1].query] == ["client_id", "scope"]


def test_head_is_authorized_like_get() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, Tokens())
        with fetched(up, asked(method="HEAD")) as reply:
            assert (reply.status, reply.length, reply.read(1)) == (200, 1, b"")
        assert get(up, asked()) == (200, b"a")
        assert [seen.method for seen in origin.requests] == ["HEAD", "GET", "HEAD", "GET"]
        assert len({seen.connection for seen in origin.requests}) == 1


@pytest.mark.parametrize(("expires_in", "good"), [(100, 79), (None, 47), (1000, 799)])
def test_a_token_is_replaced_before_its_end(expires_in: int | None, good: int) -> None:
    clock = FakeClock()
    tokens = Tokens(expires_in=expires_in, clock=clock)
    with Origin() as origin:
        publish(origin, tokens)
        spec = UpstreamSpec("up", origin.url, allow_private=LOOPBACK)
        up = HttpUpstream(spec, clock=clock)
        get(up, asked())
        clock.advance(good)
        assert get(up, asked()) == (200, b"a")
        assert len(tokens.issued) == 1
        clock.advance(2)
        assert get(up, asked()) == (200, b"a")
        assert len(tokens.issued) == 2
        assert origin.count("v2/a/manifests/1") == 4
        up.close()


def test_a_token_that_ended_early_is_replaced_once() -> None:
    tokens = Tokens()
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, tokens)
        get(up, asked())
        tokens.revoke()
        assert get(up, asked()) == (200, b"a")
        assert len(tokens.issued) == 2
        assert proofs(origin)[3:] == [
            ("v2/a/manifests/1", "Bearer"),
            ("token", "nothing"),
            ("v2/a/manifests/1", "Bearer"),
        ]


def test_a_token_that_does_not_help_is_a_denial_and_no_loop() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, Tokens(), scope="repository:other:pull", told=scope("a"))
        with pytest.raises(UpstreamDenied, match="401 to the token"):
            up.fetch(asked())
        assert len(origin.requests) == 3
        with pytest.raises(UpstreamDenied):
            up.fetch(asked())
        assert len(origin.requests) == 6


def test_403_to_a_token_is_a_denial_and_403_to_nothing_is_none() -> None:
    tokens = Tokens()
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, tokens)
        lock = Lock(tokens, f"{origin.url}/token", scope("a"))
        origin.put("v2/a/manifests/1", b"a", lock=lock, forbid=True)
        with pytest.raises(UpstreamDenied, match="403"):
            up.fetch(asked())
        origin.put("v2/b/manifests/1", b"b", status=403)
        origin.put("token", status=500)
        with pytest.raises(UpstreamError) as caught:
            up.fetch(asked("b"))
        assert type(caught.value) is UpstreamUnavailable
        with pytest.raises(UpstreamRefused) as caught:
            up.fetch(asked("b"))  # what was learnt of a dead token service is forgotten
        assert type(caught.value) is UpstreamRefused


def test_fifty_threads_ask_for_one_token() -> None:
    hold = Gate()
    tokens = Tokens()
    with Origin() as origin, upstream(origin.url, max_connections=64) as up:
        publish(origin, tokens)
        origin.put("token", mint=tokens, hold=hold)
        with ThreadPoolExecutor(50) as threads:
            got = [threads.submit(get, up, asked()) for _ in range(50)]
            hold.await_arrival()
            hold.release()
            assert [done.result() for done in got] == [(200, b"a")] * 50
        assert origin.count("token") == 1


def test_those_who_wait_for_a_token_share_its_failure() -> None:
    with Origin() as origin, upstream(origin.url, max_connections=64) as up:
        publish(origin, Tokens())
        hold, challenged = Gate(), threading.Barrier(8, timeout=30)
        origin.put("token", status=500, hold=hold)

        def ask() -> UpstreamError:
            challenged.wait()
            with pytest.raises(UpstreamUnavailable, match="token service") as caught:
                up.fetch(asked())
            return caught.value

        with ThreadPoolExecutor(8) as threads:
            failed = [threads.submit(ask) for _ in range(8)]
            hold.await_arrival()
            hold.release()
            errors = [one.result() for one in failed]
        assert {error.message for error in errors} == {errors[0].message}
        assert len({id(error) for error in errors}) == 8


def test_one_connection_is_enough() -> None:
    with Origin() as origin, upstream(origin.url, max_connections=1) as up:
        publish(origin, Tokens())
        assert get(up, asked()) == (200, b"a")


FAILURES: list[tuple[dict[str, Any], type[UpstreamError], str]] = [
    ({"status": 401}, UpstreamRefused, "credentials were refused"),
    ({"status": 403}, UpstreamRefused, "credentials were refused"),
    ({"status": 429, "headers": {"Retry-After": "7"}}, UpstreamThrottled, "429"),
    ({"status": 503, "headers": {"Retry-After": "7"}}, UpstreamThrottled, "503"),
    ({"status": 500}, UpstreamUnavailable, "500"),
    ({"status": 404}, UpstreamUnavailable, "404"),
    ({"silent": True}, UpstreamUnavailable, "connection closed"),
    ({"redirect": "/elsewhere"}, EgressRefused, "redirects"),
    ({"body": b"<html>"}, UpstreamUnavailable, "not JSON"),
    ({"body": b"[" * 100_000}, UpstreamUnavailable, "not JSON"),
    ({"body": b"[]"}, UpstreamUnavailable, "not an object"),
    ({"body": b"{}"}, UpstreamUnavailable, "no token"),
    ({"body": b'{"token": "a\\r\\nEvil: 1"}'}, UpstreamUnavailable, "cannot be sent"),
    ({"body": b" " * 1_100_000}, UpstreamUnavailable, "longer than"),
    ({"body": b"{}", "cut_after": 1}, UpstreamUnavailable, "cut after 1"),
]


@pytest.mark.parametrize(("behaviour", "error", "reason"), FAILURES)
def test_failures_of_the_token_service_are_told_apart(
    behaviour: dict[str, Any], error: type[UpstreamError], reason: str
) -> None:
    with Origin() as origin, upstream(origin.url, **LOGIN) as up:
        publish(origin, Tokens())
        origin.put("token", behaviour.get("body", b""), **_without_body(behaviour))
        with pytest.raises(error, match=reason) as caught:
            up.fetch(asked())
        assert type(caught.value) is error
        assert f"token service 127.0.0.1:{origin.port}" in caught.value.message
        assert caught.value.message.startswith("upstream 'up': token service")
        assert "WORD" not in caught.value.message
        assert caught.value.upstream == "up"
        assert caught.value.retry_after == (7 if error is UpstreamThrottled else None)
        assert origin.count("v2/a/manifests/1") == 1
        assert origin.count("elsewhere") == 0


def _without_body(behaviour: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in behaviour.items() if name != "body"}


def test_a_token_service_that_is_silent_or_drips_is_a_timeout() -> None:
    for stalls in ({"hold": Gate()}, {"stall_after": 1, "stall": Gate()}):
        with Origin() as origin, upstream(origin.url, read_timeout=0.2) as up:
            publish(origin, Tokens())
            origin.put("token", b"{}", **stalls)
            with pytest.raises(UpstreamTimeout, match="token service"):
                up.fetch(asked())


def test_a_token_service_that_gives_the_public_nothing_denies() -> None:
    tokens = Tokens(login=("joe", "x"), refuse_with=403)
    with Origin() as origin, upstream(origin.url) as up:
        publish(origin, tokens)
        with pytest.raises(UpstreamDenied, match="without credentials"):
            up.fetch(asked())
        with pytest.raises(UpstreamDenied, match="without credentials"):
            up.fetch(asked("b"))  # and was not asked for at the registry, which wants a token
        assert origin.count("v2/b/manifests/1") == 0
        tokens.refuse_with = 401
        with pytest.raises(UpstreamRefused, match="credentials are wanted") as caught:
            up.fetch(asked())
        assert type(caught.value) is UpstreamRefused


def test_an_identity_token_is_exchanged_and_never_sent_as_a_password() -> None:
    tokens = Tokens(identity="idENTITY+&", login=("joe", "x"))
    login: dict[str, Any] = {"username": "<token>", "password": Secret("idENTITY+&")}
    with Origin() as origin, upstream(origin.url, **login) as up:
        publish(origin, tokens)
        assert get(up, asked()) == (200, b"a")
        assert get(up, asked()) == (200, b"a")
        assert (origin.requests[1].method, origin.requests[1].query) == ("POST", ())
        assert [scheme for _, scheme in proofs(origin)] == ["nothing"] * 2 + ["Bearer"] * 2
        origin.put("v2/b/manifests/1", b"b", require=basic("<token>", "idENTITY+&"))
        with pytest.raises(UpstreamRefused):
            up.fetch(Fetch("v2/b/manifests/1"))
    assert [(issued.login, issued.scope) for issued in tokens.issued] == [("<token>", scope("a"))]


@pytest.mark.parametrize("status", [400, 401, 404, 405])
def test_an_identity_token_that_is_not_taken_is_refused(status: int) -> None:
    login: dict[str, Any] = {"username": "<token>", "password": Secret("idENTITY")}
    with Origin() as origin, upstream(origin.url, **login) as up:
        publish(origin, Tokens())
        origin.put("token", mint=Tokens(login=("joe", "x"), refuse_with=status))
        with pytest.raises(UpstreamRefused, match=r"refused|not taken") as caught:
            up.fetch(asked())
        assert "ENTITY" not in caught.value.message


def test_a_bearer_is_sent_as_it_is_and_no_token_is_asked_for() -> None:
    with Origin() as origin, upstream(origin.url, bearer=Secret("own")) as up:
        publish(origin, Tokens())
        with pytest.raises(UpstreamRefused, match="401 Unauthorized"):
            up.fetch(asked())
        assert [seen.headers["authorization"] for seen in origin.requests] == ["Bearer own"]


def test_a_basic_challenge_is_answered_and_remembered() -> None:
    with Origin() as origin, upstream(origin.url, **LOGIN) as up:
        for name in ("a", "b"):
            origin.put(f"v2/{name}/manifests/1", b"x", require=basic("joe", "pässWORD"))
            assert get(up, asked(name)) == (200, b"x")
        assert [scheme for _, scheme in proofs(origin)] == ["nothing", "Basic", "Basic"]
        origin.put("v2/c/manifests/1", b"x", require=basic("joe", "other"))
        with pytest.raises(UpstreamRefused) as caught:
            up.fetch(asked("c"))
        assert type(caught.value) is UpstreamRefused
        assert len(origin.requests) == 4


def test_a_basic_challenge_without_a_login_is_a_refusal() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("v2/a/manifests/1", b"x", require=basic("joe", "x"))
        with pytest.raises(UpstreamRefused, match="401 Unauthorized"):
            up.fetch(asked())
        assert len(origin.requests) == 1


def test_the_life_of_a_token_is_read_with_care() -> None:
    lives = {"90": 72.0, "0": 48.0, "-5": 48.0, "true": 48.0, '"90"': 48.0, "NaN": 48.0}
    for told, good in lives.items():
        token = read_token(b'{"token": "t", "expires_in": %b}' % told.encode(), 0.0)
        assert token == Token(Secret("t"), good), told
    forever = read_token(b'{"token": "", "access_token": "t", "expires_in": 1e999}', 0.0)
    assert forever == Token(Secret("t"), 69_120.0)

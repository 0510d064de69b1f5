"""Token services and redirects that fail or lead astray: no credential leaves for where it does
not belong."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from attrs import frozen

from tests.e2e.bench import BASIC, HASTY, SECRET, USERNAME, Bench, error_of, leaks, proofs
from tests.e2e.conftest import Serve
from tests.e2e.hanging import Picture, lock_for
from tests.e2e.processes import until
from tests.e2e.server import Setting, Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import PullFailed
from tests.e2e.transfer import Transfer, fetch
from virtreg.testing.origin import Gate, Origin, Tokens

pytestmark = pytest.mark.e2e

REALMS = ("open", "secret")
"""Upstreams without credentials and with them."""


@frozen
class Trouble:
    """A token service that misbehaves; ``told`` is status, code and words that the client gets,
    over an upstream without credentials and over one with them."""

    id: str
    behaviour: Mapping[str, Any]
    stranger: tuple[int, str, str]
    member: tuple[int, str, str]
    body: bytes = b""

    def told(self, realm: str) -> tuple[int, str, str]:
        return self.stranger if realm == "open" else self.member


def _to_both(
    name: str, behaviour: Mapping[str, Any], told: tuple[int, str, str], body: bytes = b""
) -> Trouble:
    return Trouble(name, behaviour, told, told, body)


TROUBLES = [
    Trouble(
        "401",
        {"status": 401},
        (502, "UNAVAILABLE", "credentials are wanted (401)"),
        (502, "UNAVAILABLE", "credentials were refused (401)"),
    ),
    Trouble(
        "403",
        {"status": 403},
        (404, "MANIFEST_UNKNOWN", "no token without credentials"),
        (502, "UNAVAILABLE", "credentials were refused (403)"),
    ),
    _to_both(
        "429",
        {"status": 429, "headers": {"Retry-After": "1"}},
        (503, "TOOMANYREQUESTS", "token service"),
    ),
    _to_both("500", {"status": 500}, (502, "UNAVAILABLE", "status 500")),
    _to_both("garbage", {}, (502, "UNAVAILABLE", "is not JSON"), b"\x00{"),
    _to_both("no-token", {}, (502, "UNAVAILABLE", "has no token"), b"{}"),
    _to_both("split", {}, (502, "UNAVAILABLE", "cannot be sent"), b'{"token":"a\\r\\nX: b"}'),
    _to_both("silent", {"hold": Gate()}, (504, "UNAVAILABLE", "token service")),
    _to_both("cut", {"cut_after": 3}, (502, "UNAVAILABLE", "cut"), b'{"token":"a"}'),
    _to_both(
        "redirect", {"redirect": ""}, (502, "UNAVAILABLE", "redirects, which is not followed")
    ),
]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    return Picture(tmp_path_factory.mktemp("picture"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    names = [*(trouble.id for trouble in TROUBLES), "loop", "foreign"]
    names += ["aside", "aside-with-token", "skopeo"]
    slots: dict[str, dict[str, Setting]] = {
        f"{name}-{realm}": {
            "login": realm == "secret",
            "negative_validity_seconds": 0,
            **(HASTY if name == "silent" else {}),
        }
        for name in names
        for realm in REALMS
    }
    for realm in REALMS:
        slots[f"strict-{realm}"] = {"login": realm == "secret", "allow_private": ["127.0.0.1/32"]}
    bench = Bench(tmp_path_factory.mktemp("bench"), (), slots=slots)
    bench.open()
    yield bench
    bench.close()


class Stranger:
    """A port where somebody listens and nobody may ever call."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._listener = socket.create_server((host, 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]

    def assert_never_called(self) -> None:
        with pytest.raises(BlockingIOError):
            self._listener.accept()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def foreign() -> Iterator[Stranger]:
    stranger = Stranger()
    yield stranger
    stranger.close()


def _tokens(realm: str) -> Tokens:
    return Tokens(login=(USERNAME, SECRET) if realm == "secret" else None)


def _ask(bench: Bench, slot: str, picture: Picture) -> Transfer:
    """The answer for the tag, which has no secret in it."""
    answer = fetch(bench.url(slot, picture.path("tag")))
    assert leaks(bench.marks, [answer.head, str(answer.headers).encode()]) == []
    return answer


def _assert_healed(bench: Bench, slot: str, picture: Picture, tokens: Tokens) -> None:
    """All is pulled, with tokens for the parts and the login for the token service alone."""
    origin = bench.origins[slot]
    until(lambda: _ask(bench, slot, picture).status == 200, "healed answer")
    for part in ("config", "layer"):
        assert fetch(bench.url(slot, picture.path(part))).status == 200
    issued = {f"Bearer {token.text}" for token in tokens.issued}
    assert proofs(origin, "v2/") <= {"", *issued}
    assert proofs(origin, "token") == {BASIC if slot.endswith("secret") else ""}
    bench.marks += [token.text for token in tokens.issued]
    until(lambda: not bench.spooled(), "empty spool")


@pytest.mark.parametrize("realm", REALMS)
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.id)
def test_a_token_service_in_trouble_is_told_and_not_remembered(
    trouble: Trouble, realm: str, bench: Bench, picture: Picture, foreign: Stranger
) -> None:
    slot = f"{trouble.id}-{realm}"
    origin, tokens = bench.origins[slot], _tokens(realm)
    picture.hang(origin, lock=lock_for(origin, "lab/thing", tokens))
    behaviour = dict(trouble.behaviour)
    if "redirect" in behaviour:
        behaviour["redirect"] = f"http://127.0.0.1:{foreign.port}/token"
    origin.put("token", trouble.body, **behaviour)
    status, code, says = trouble.told(realm)
    answer = _ask(bench, slot, picture)
    message = error_of(answer, status, code)
    assert slot in message
    assert says in message
    foreign.assert_never_called()
    origin.put("token", mint=tokens)
    _assert_healed(bench, slot, picture, tokens)


@pytest.mark.parametrize("realm", REALMS)
def test_a_registry_that_takes_no_token_is_left_after_a_try_or_two(
    realm: str, bench: Bench, picture: Picture
) -> None:
    slot = f"loop-{realm}"
    origin, tokens, others = bench.origins[slot], _tokens(realm), _tokens(realm)
    picture.hang(origin, lock=lock_for(origin, "lab/thing", tokens))
    origin.put("token", mint=others)
    expected = (404, "MANIFEST_UNKNOWN") if realm == "open" else (502, "UNAVAILABLE")
    message = error_of(_ask(bench, slot, picture), *expected)
    assert f"upstream '{slot}': 127.0.0.1:{origin.port} says 401 to the token" in message
    # By HEAD and by GET, each with a token and before it.
    assert len([seen for seen in origin.requests if seen.path.startswith("v2/")]) <= 4
    assert len(others.issued) <= 2
    picture.hang(origin, lock=lock_for(origin, "lab/thing", others))
    _assert_healed(bench, slot, picture, others)


@pytest.mark.parametrize("realm", REALMS)
def test_a_foreign_realm_is_never_called(
    realm: str, bench: Bench, picture: Picture, foreign: Stranger
) -> None:
    slot = f"foreign-{realm}"
    origin, tokens = bench.origins[slot], _tokens(realm)
    there = f"http://localhost:{foreign.port}/token"
    picture.hang(origin, lock=lock_for(origin, "lab/thing", tokens, there))
    message = error_of(_ask(bench, slot, picture), 502, "UNAVAILABLE")
    assert slot in message
    assert "token_realms" in message
    assert f"localhost:{foreign.port}" in message
    foreign.assert_never_called()
    assert proofs(origin) == {""}
    origin.put("token", mint=tokens)
    picture.hang(origin, lock=lock_for(origin, "lab/thing", tokens))
    _assert_healed(bench, slot, picture, tokens)


@pytest.mark.parametrize("realm", REALMS)
def test_a_redirect_inward_is_never_followed(realm: str, bench: Bench, picture: Picture) -> None:
    slot = f"strict-{realm}"
    origin = bench.origins[slot]
    picture.hang(origin)
    inner = Stranger("127.0.0.2")
    try:
        inward = f"http://127.0.0.2:{inner.port}/blob?signature={SECRET}"
        for part in ("config", "layer"):
            picture.break_part(origin, part, redirect=inward)
            answer = fetch(bench.url(slot, picture.path(part)))
            message = error_of(answer, 502, "UNAVAILABLE")
            assert slot in message
            assert "allow_private" in message
            assert SECRET not in f"{answer.headers}{message}"
        inner.assert_never_called()
    finally:
        inner.close()
    picture.hang(origin)
    assert fetch(bench.url(slot, picture.path("layer"))).status == 200


@pytest.mark.parametrize("realm", REALMS)
@pytest.mark.parametrize("slot", ["aside", "aside-with-token"])
def test_blobs_lie_where_credentials_are_an_error(
    slot: str, realm: str, bench: Bench, picture: Picture
) -> None:
    slot = f"{slot}-{realm}"
    origin, tokens = bench.origins[slot], _tokens(realm)
    guarded: dict[str, Any] = {}
    if "token" in slot:
        origin.put("token", mint=tokens)
        guarded["lock"] = lock_for(origin, "lab/thing", tokens)
    elif realm == "secret":
        guarded["require"] = ("Authorization", BASIC)
    picture.hang(origin, **guarded)
    with Origin() as aside:
        for part in ("config", "layer"):
            there = f"{aside.url}/{part}?signature=1"
            picture.break_part(origin, part, redirect=there, **guarded)
            cut = {"cut_after": len(picture.content(part)) // 2, "only_times": 1}
            aside.put(part, picture.content(part), reject="Authorization", **cut)
            answer = fetch(bench.url(slot, picture.path(part)))
            assert (answer.status, answer.size) == (200, len(picture.content(part)))
        assert proofs(aside) == {""}
        secrets = (SECRET, BASIC, *(token.text for token in tokens.issued))
        told = [str(seen).encode() for seen in aside.requests]
        assert leaks(secrets, told) == []


@pytest.mark.parametrize("login", [False, True])
def test_no_redirect_leads_from_https_to_http(
    login: bool, serve: Serve, picture: Picture, foreign: Stranger, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "password").write_text(SECRET)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    settings: dict[str, Any] = {"ca_file": str(tmp_path / "ca.pem")}
    settings["allow_private"] = ["127.0.0.0/8", "::1/128"]
    if login:
        settings |= {"username": USERNAME, "password": f"file:{tmp_path}/password"}
    with Origin(tls=context) as origin:
        server = serve(Upstream("secure", origin.url, settings), kind="container")
        picture.hang(origin)
        picture.break_part(origin, "config", redirect=f"http://localhost:{foreign.port}/blob")
        answer = fetch(f"http://{server.host}/v2/main/{picture.path('config')}")
        assert "redirect from https to http" in error_of(answer, 502, "UNAVAILABLE")
        realm = f"http://localhost:{foreign.port}/token"
        picture.hang(origin, lock=lock_for(origin, "lab/thing", Tokens(), realm))
        answer = fetch(f"http://{server.host}/v2/main/{picture.path('tag')}")
        assert "is http and localhost is https" in error_of(answer, 502, "UNAVAILABLE")
        foreign.assert_never_called()
        picture.hang(origin)
        assert fetch(f"http://{server.host}/v2/main/{picture.path('layer')}").status == 200
        assert proofs(origin) == {""}


def test_a_client_that_fails_is_told_no_secret_and_pulls_when_all_is_well(
    bench: Bench, picture: Picture, foreign: Stranger, tmp_path: Path
) -> None:
    skopeo = Skopeo(tmp_path / "skopeo")
    slot = "skopeo-secret"
    origin, tokens = bench.origins[slot], _tokens("secret")
    there = f"http://localhost:{foreign.port}/token"
    picture.hang(origin, lock=lock_for(origin, "lab/thing", tokens, there))
    reference = picture.image.by_tag(f"{bench.host}/{slot}")
    with pytest.raises(PullFailed, match="502") as caught:
        skopeo.copy(reference)
    assert SECRET not in str(caught.value)
    foreign.assert_never_called()
    origin.put("token", mint=tokens)
    picture.hang(origin, lock=lock_for(origin, "lab/thing", tokens))
    assert skopeo.copy(reference) == picture.image.digests

"""Upstreams that fail or lie: a precise answer, no bad byte, and nothing of it remembered."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e import big, java
from tests.e2e.conftest import Serve
from tests.e2e.processes import until
from tests.e2e.server import Server, Upstream
from tests.e2e.soundness import unsound_blobs
from tests.e2e.transfer import Transfer, fetch
from virtreg.testing.origin import Origin

pytestmark = pytest.mark.e2e

POM_PATH = "com/example/lab/thing/1.0/thing-1.0.pom"
JAR_PATH = "com/example/lab/thing/1.0/thing-1.0.jar"
POM = java.pom("com.example.lab", "thing", "1.0")
JAR = big.MAGIC + random.Random("thing").randbytes(8 * big.MIB)


@pytest.fixture
def liar() -> Iterator[Origin]:
    with Origin({POM_PATH: POM, JAR_PATH: JAR}) as origin:
        yield origin


@pytest.fixture
def server(liar: Origin, serve: Serve) -> Server:
    return serve(Upstream("liar", liar.url, {"read_timeout": 1, "connect_timeout": 1}))


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _assert_healed(server: Server, path: str, body: bytes) -> None:
    """The right bytes come as soon as the upstream may be asked again."""
    url = f"{server.maven}/{path}"
    until(lambda: fetch(url).status == 200, "healed answer")
    assert fetch(url).sha256 == _digest(body)
    assert unsound_blobs(server.data) == []
    until(lambda: not server.spooled(), "empty spool")


def _assert_problem(answer: Transfer, status: int) -> Mapping[str, Any]:
    """An RFC 9457 document about the upstream, which it names."""
    assert answer.status == status, answer.head
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.head)
    assert problem["status"] == status
    assert "liar" in answer.head.decode()
    return problem


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        pytest.param({"status": 500}, 502, id="server error"),
        pytest.param({"status": 503}, 502, id="unavailable"),
        pytest.param({"status": 401}, 502, id="refused"),
        pytest.param({"silent": True}, 502, id="hangs up"),
        pytest.param({"stall_after": 0}, 504, id="stalls"),
        pytest.param({"html": True}, 502, id="login page for a POM"),
        pytest.param({"redirect": "http://10.255.255.1/secret"}, 502, id="redirect inward"),
        pytest.param({"redirect": "file:///etc/passwd"}, 502, id="redirect to a file"),
    ],
)
def test_a_failing_upstream_is_named_and_not_remembered(
    behaviour: Mapping[str, Any], status: int, liar: Origin, server: Server
) -> None:
    liar.put(POM_PATH, POM, **behaviour)
    _assert_problem(fetch(f"{server.maven}/{POM_PATH}"), status)
    liar.put(POM_PATH, POM)
    _assert_healed(server, POM_PATH, POM)


def test_a_redirect_loop_ends(liar: Origin, server: Server) -> None:
    liar.put(POM_PATH, redirect=f"{liar.url}/{POM_PATH}")
    _assert_problem(fetch(f"{server.maven}/{POM_PATH}"), 502)
    assert liar.count(POM_PATH) < 30
    liar.put(POM_PATH, POM)
    _assert_healed(server, POM_PATH, POM)


def test_a_throttled_request_says_when_to_come_back(liar: Origin, server: Server) -> None:
    liar.put(POM_PATH, status=429, headers={"Retry-After": "2"})
    answer = fetch(f"{server.maven}/{POM_PATH}")
    _assert_problem(answer, 503)
    assert 1 <= int(answer.headers["retry-after"]) <= 2
    liar.put(POM_PATH, POM)
    _assert_healed(server, POM_PATH, POM)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param({"headers": {"x-checksum-sha1": "0" * 40}}, id="wrong checksum header"),
        pytest.param({"declared_length": len(JAR) + 9, "close": True}, id="too short"),
        pytest.param({"cut_after": len(JAR) * 6 // 10, "ranges": False}, id="cut at 60 percent"),
        pytest.param(
            {"stall_after": len(JAR) * 6 // 10, "ranges": False}, id="stalls at 60 percent"
        ),
    ],
)
def test_a_bad_body_never_arrives_whole(
    behaviour: Mapping[str, Any], liar: Origin, server: Server
) -> None:
    liar.put(JAR_PATH, JAR, **behaviour)
    with Transfer(f"{server.maven}/{JAR_PATH}") as answer:
        whole = answer.finish()
    assert not whole or answer.status in {502, 504}, answer.head[:500]
    liar.put(JAR_PATH, JAR)
    _assert_healed(server, JAR_PATH, JAR)


def test_a_wrong_sidecar_is_believed_over_the_body(liar: Origin, server: Server) -> None:
    liar.put(f"{JAR_PATH}.sha1", b"0" * 40)
    with Transfer(f"{server.maven}/{JAR_PATH}") as answer:
        whole = answer.finish()
    assert not whole or answer.status == 502, answer.head[:500]
    liar.put(f"{JAR_PATH}.sha1", hashlib.sha1(JAR).hexdigest().encode())
    _assert_healed(server, JAR_PATH, JAR)


@pytest.mark.parametrize("trouble", ["cut_after", "stall_after"])
def test_an_interrupted_body_is_resumed(trouble: str, liar: Origin, server: Server) -> None:
    liar.put(JAR_PATH, JAR, only_times=1, **{trouble: len(JAR) * 6 // 10})
    assert fetch(f"{server.maven}/{JAR_PATH}").sha256 == _digest(JAR)
    asked = [seen.headers.get("range") for seen in liar.requests if seen.path == JAR_PATH]
    assert asked == [None, f"bytes={len(JAR) * 6 // 10}-"]
    _assert_healed(server, JAR_PATH, JAR)


def test_a_broken_upstream_hides_the_ones_behind_it(liar: Origin, serve: Serve) -> None:
    with Origin({POM_PATH: POM + b"<!-- the wrong one -->"}) as other:
        server = serve(Upstream("liar", liar.url), Upstream("other", other.url))
        liar.put(POM_PATH, status=500)
        _assert_problem(fetch(f"{server.maven}/{POM_PATH}"), 502)
        liar.put(POM_PATH, POM)
        _assert_healed(server, POM_PATH, POM)


def test_a_mirror_may_be_passed_while_it_is_broken(liar: Origin, serve: Serve) -> None:
    with Origin({POM_PATH: POM}) as other:
        mirror = Upstream("liar", liar.url, {"on_error": "continue"})
        server = serve(mirror, Upstream("other", other.url))
        liar.put(POM_PATH, status=500)
        assert fetch(f"{server.maven}/{POM_PATH}").sha256 == _digest(POM)


def test_what_nobody_has_is_absent(liar: Origin, server: Server) -> None:
    absent = "com/example/lab/absent/1.0/absent-1.0.pom"
    _assert_problem(fetch(f"{server.maven}/{absent}"), 404)
    assert liar.count(absent) == 1

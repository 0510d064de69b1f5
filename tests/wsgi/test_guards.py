"""Limits and allowed hosts of a whole application, in the words of each kind of client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from attrs import evolve
from werkzeug.security import generate_password_hash

from tests.wsgi.answers import Answer
from tests.wsgi.doors import Called, Named
from virtreg import Config, RegistrySpec, ServerConfig, StorageConfig, UpstreamSpec, build
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.config import LimitsConfig
from virtreg.protocols import Authenticator
from virtreg.testing.origin import Origin
from virtreg.wsgi.sizes import MOST_TARGET

POM = "/maven/files/org/example/a/1/a-1.pom"
IMAGE = "/v2/images/app/manifests/latest"
BROWSER = {"User-Agent": "Mozilla/5.0", "Accept-Language": "en", "Host": "evil.example.com"}
USERS = {"joe": generate_password_hash("right", "pbkdf2:sha256:1")}


def login(password: str) -> Named:
    return {"Authorization": "Basic " + base64.b64encode(f"joe:{password}".encode()).decode()}


@contextmanager
def opened(
    folder: Path,
    *,
    server: ServerConfig | None = None,
    limits: LimitsConfig | None = None,
    authenticator: Authenticator | None = None,
    listening: bool = False,
) -> Iterator[Called]:
    with Origin({"org/example/a/1/a-1.pom": b"<project/>"}) as origin:
        upstream = UpstreamSpec("up", origin.url, allow_private=("127.0.0.0/8",))
        registries = (
            RegistrySpec(1, "files", "maven", (upstream,)),
            RegistrySpec(2, "images", "container", (evolve(upstream, name="other"),)),
        )
        config = Config(registries, server or ServerConfig(), StorageConfig(folder), limits=limits)
        with build(config, authenticator=authenticator, listening=listening) as assembly:
            yield Called(_from_loopback(assembly.app), "")


def _from_loopback(app: WSGIApplication) -> WSGIApplication:
    """As a server would say it; the client of the tests says nothing."""

    def entered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)

    return entered


def message(answer: Answer) -> str:
    told = json.loads(answer.body)
    return str(told["errors"][0]["code"] if "errors" in told else told["code"])


@pytest.mark.parametrize(
    ("target", "code"), [(POM, "too_many_requests"), (IMAGE, "TOOMANYREQUESTS")]
)
def test_who_asks_too_often_is_told_when_to_come_back(
    tmp_path: Path, target: str, code: str
) -> None:
    with opened(tmp_path, limits=LimitsConfig(2, 3600)) as door:
        assert [door.ask("GET", POM).status for _ in range(2)] == [200, 200]
        answer = door.ask("GET", target)
        assert (answer.status, message(answer)) == (429, code)
        assert int(answer["Retry-After"]) > 1000
        assert door.ask("HEAD", target).status == 429
        assert door.ask("GET", "/-/health").status == 200


def test_everybody_may_ask_as_often_as_they_like_where_nothing_is_said(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        assert {door.ask("GET", POM).status for _ in range(1100)} == {200}


def test_access_brings_the_usual_limits(tmp_path: Path) -> None:
    with opened(tmp_path, authenticator=BasicAuthenticator(USERS)) as door:
        statuses = [door.ask("GET", POM, login(f"wrong{n}")).status for n in range(25)]
        assert statuses == [401] * 20 + [429] * 5
        answer = door.ask("GET", POM, login("wrong"))
        assert answer["Retry-After"] in {"1", "2", "3"}


@pytest.mark.parametrize("target", [POM, IMAGE, "/v2/", "/jwt/auth?service=virtreg"])
def test_failures_at_every_url_count_together(tmp_path: Path, target: str) -> None:
    limits = LimitsConfig(failed_logins=3)
    with opened(tmp_path, limits=limits, authenticator=BasicAuthenticator(USERS)) as door:
        statuses = [
            door.ask("GET", url, login(f"wrong{n}")).status
            for n, url in enumerate((POM, IMAGE, "/jwt/auth?service=virtreg", target))
        ]
        assert statuses == [401, 401, 401, 429]
        assert door.ask("GET", target).status in (200, 401)


def test_callers_behind_a_trusted_proxy_have_limits_of_their_own(tmp_path: Path) -> None:
    server = ServerConfig(trusted_proxies=("127.0.0.0/8",))
    with opened(tmp_path, server=server, limits=LimitsConfig(1, 3600)) as door:
        for caller in ("198.51.100.7", "198.51.100.8"):
            asked = {"X-Forwarded-For": caller}
            assert [door.ask("GET", POM, asked).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("limits", [None, LimitsConfig()], ids=["unlimited", "limited"])
def test_callers_behind_a_proxy_that_is_not_named_are_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, limits: LimitsConfig | None
) -> None:
    asked = {"X-Forwarded-For": "198.51.100.7"}
    with opened(tmp_path, limits=limits) as door:
        for _ in range(3):
            assert door.ask("GET", POM, asked).status == 200
    assert caplog.text.count("trusted_proxies") == 1


def test_limits_can_be_turned_off(tmp_path: Path) -> None:
    limits = LimitsConfig(0, 1, 0)
    with opened(tmp_path, limits=limits, authenticator=BasicAuthenticator(USERS)) as door:
        assert {door.ask("GET", POM, login(f"wrong{n}")).status for n in range(30)} == {401}


def test_a_server_on_loopback_is_not_read_by_pages_from_elsewhere(tmp_path: Path) -> None:
    with opened(tmp_path, listening=True) as door:
        for target, code in ((POM, "wrong_host"), (IMAGE, "UNSUPPORTED")):
            answer = door.ask("GET", target, BROWSER)
            assert (answer.status, message(answer)) == (421, code)
        assert door.ask("GET", POM, BROWSER | {"Host": "localhost:8081"}).status == 200
        assert door.ask("GET", POM, {"Host": "repo.example.org"}).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "repo.example.org"])
def test_a_server_for_others_is_asked_by_any_name(tmp_path: Path, host: str) -> None:
    with opened(tmp_path, server=ServerConfig(host=host), listening=True) as door:
        assert door.ask("GET", POM, BROWSER).status == 200


def test_a_host_program_listens_where_it_likes(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        assert door.ask("GET", POM, BROWSER).status == 200


def test_allowed_hosts_hold_for_everybody(tmp_path: Path) -> None:
    server = ServerConfig(allowed_hosts=("repo.example.org",), external_url="https://a.example:1/x")
    with opened(tmp_path, server=server) as door:
        assert door.ask("GET", POM, {"Host": "repo.example.org:8081"}).status == 200
        assert door.ask("GET", POM, {"Host": "a.example:1"}).status == 200
        assert door.ask("GET", POM, {"Host": "a.example"}).status == 421
        assert door.ask("GET", POM, {"Host": "localhost"}).status == 421
        assert door.ask("GET", "/-/health", {"Host": "localhost"}).status == 200


@pytest.mark.parametrize(
    "server",
    [
        ServerConfig(allowed_hosts=("other.example",), external_url="https://repo.example.org:443"),
        ServerConfig(allowed_hosts=("other.example",), external_url="http://repo.example.org:80"),
        ServerConfig(allowed_hosts=("repo.example.org:443",)),
    ],
    ids=lambda server: server.external_url or server.allowed_hosts[0],
)
def test_the_usual_port_means_the_same_as_none(tmp_path: Path, server: ServerConfig) -> None:
    with opened(tmp_path, server=server) as door:
        assert door.ask("GET", POM, {"Host": "repo.example.org"}).status == 200


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/maven/files/" + "a" * MOST_TARGET, {}, 414),
        (f"{POM}?{'q' * MOST_TARGET}", {}, 414),
        ("/maven/files/b.pom", {f"X-{number}": "v" for number in range(200)}, 431),
        ("/v2/images/b/tags/list", {"X-Long": "v" * 100_000}, 431),
    ],
    ids=["path", "query", "many fields", "long field"],
)
def test_what_is_longer_than_anybody_needs_is_refused(
    tmp_path: Path, target: str, headers: Named, status: int
) -> None:
    with opened(tmp_path) as door:
        answer = door.ask("GET", target, headers)
        assert answer.status == status
        assert b"more than" in answer.body

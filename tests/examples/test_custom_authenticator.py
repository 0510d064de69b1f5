from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.backends.auth.oidc.provider import AUDIENCE, EC, RSA, Provider
from tests.examples.hosting import Host, basic, hosted

EXAMPLE = "custom_authenticator.py"
ANN = basic("ann", "correct horse")
WRONG = basic("ann", "battery staple")


@pytest.fixture(scope="module")
def flask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosted(tmp_path_factory.mktemp("flask"), EXAMPLE, ["flask"]) as host:
        yield host


def cookie(flask: Host) -> dict[str, str]:
    form = urlencode({"user": "ann", "password": "correct horse"}).encode()
    answer = flask.post("/site/login", form)
    assert answer.status == 200
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def test_a_session_of_flask_opens_registries(flask: Host) -> None:
    assert flask.pom() == 401
    session = cookie(flask)
    assert flask.pom(session) == 200
    name, _, value = session["Cookie"].partition("=")
    payload, _, signature = value.partition(".")
    assert flask.pom({"Cookie": f"{name}={payload}x.{signature}"}) == 401
    assert flask.pom({"Cookie": f"{name}=garbage"}) == 401


def test_programs_show_the_passwords_of_the_site(flask: Host) -> None:
    assert (flask.pom(ANN), flask.pom(WRONG)) == (200, 401)
    assert (flask.pull(ANN), flask.pull(WRONG), flask.pull()) == (200, 401, 401)
    assert flask.pull(cookie(flask)) == 200


@pytest.mark.parametrize(
    ("proxies", "statuses"), [("127.0.0.0/8 ::1/128", (200, 200)), ("192.0.2.0/24", (401, 401))]
)
def test_a_header_opens_registries_from_a_trusted_proxy(
    tmp_path: Path, proxies: str, statuses: tuple[int, int]
) -> None:
    with hosted(tmp_path, EXAMPLE, ["header"], SSO_PROXIES=proxies) as host:
        user = {"X-Remote-User": "ann"}
        assert (host.pom(user), host.pull(user)) == statuses
        assert (host.pom(), host.pom(ANN), host.pull()) == (401, 401, 401)


def test_tokens_of_an_identity_provider_open_registries(tmp_path: Path) -> None:
    now = int(time.time())
    with Provider() as provider:
        settings = {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_AUDIENCE": AUDIENCE,
            "VIRTREG_ALLOW_PRIVATE": "127.0.0.0/8",
        }
        with hosted(tmp_path, EXAMPLE, ["oidc"], **settings) as host:
            for kid, key in (("rsa", RSA), ("ec", EC)):
                token = provider.token(kid, key, iat=now, exp=now + 300)
                assert host.pom({"Authorization": f"Bearer {token}"}) == 200
                assert host.pom(basic("job", token)) == 200
                assert host.pull(basic("job", token)) == 200
            ended = provider.token(iat=now - 600, exp=now - 300)
            assert host.pom({"Authorization": f"Bearer {ended}"}) == 401
            assert host.pull(basic("job", ended)) == 401
            assert host.pom() == 401
        assert provider.asked == 1

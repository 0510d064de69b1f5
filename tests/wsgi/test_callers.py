from __future__ import annotations

import base64
import logging

import pytest
from attrs import define, field
from werkzeug.security import generate_password_hash

from tests.wsgi.conftest import Sites
from tests.wsgi.doors import NOTHING, Named
from tests.wsgi.sites import JAR, LARGE_BODY, POM, SMALL_BODY, Site
from virtreg import Forbidden, ServerConfig, Unauthenticated
from virtreg.backends.auth.anonymous import Anonymous
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.model import Credentials, Principal, Scope

USERS = {"ann": generate_password_hash("secret", method="scrypt:1024:8:1")}


def basic(name: str, password: str) -> Named:
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


@pytest.fixture
def guarded(sites: Sites) -> Site:
    return sites(authenticator=BasicAuthenticator(USERS), credentials=basic("ann", "secret"))


STRANGERS = [NOTHING, basic("ann", "wrong"), basic("bob", "secret"), {"Authorization": "Bearer x"}]


def refuses_strangers(site: Site, path: str) -> None:
    for headers in STRANGERS:
        for method in ("GET", "HEAD"):
            answer = site.door.ask(method, f"/maven/solo/{path}", headers)
            assert answer.status == 401
            assert answer["WWW-Authenticate"].startswith('Basic realm="GitLab Virtual Registry"')
            assert "X-Virtreg-Cache" not in answer
            assert "ETag" not in answer
            if method == "GET":
                assert answer.problem["message"] == "401 Unauthorized"


def test_a_stranger_is_challenged_before_anything_is_asked(guarded: Site) -> None:
    refuses_strangers(guarded, POM)
    refuses_strangers(guarded, "a/../b")
    assert guarded.near.requests == []
    assert guarded.door.ask("DELETE", f"/maven/solo/{POM}").status == 401


def test_a_known_caller_gets_the_file(guarded: Site) -> None:
    assert guarded.get(POM).body == SMALL_BODY


@pytest.mark.parametrize("path", [POM, f"{POM}.sha1", JAR])
def test_a_ready_answer_is_not_for_strangers(guarded: Site, path: str) -> None:
    guarded.fill(path.removesuffix(".sha1"))
    for _ in range(3):
        assert guarded.get(path).origin == "hit"
        refuses_strangers(guarded, path)


def test_a_ready_absence_is_not_for_strangers(guarded: Site) -> None:
    for _ in range(3):
        assert guarded.get("absent.pom").status == 404
        refuses_strangers(guarded, "absent.pom")


def test_the_realm_is_configured(quick_sites: Sites) -> None:
    server = ServerConfig(realm='My "own"')
    site = quick_sites(authenticator=BasicAuthenticator(USERS), server=server)
    assert site.get(POM)["WWW-Authenticate"].startswith(r'Basic realm="My \"own\""')


def test_probes_are_for_everybody(guarded: Site) -> None:
    assert guarded.door.ask("GET", "/-/ready").status == 200


@define
class Gateway:
    """Lets the host decide, by a header it set and by what is asked for."""

    scopes: list[Scope] = field(factory=list)

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        self.scopes.append(scope)
        user = credentials.environ.get("HTTP_X_FORWARDED_USER")
        if not user:
            raise Unauthenticated("no user was forwarded")
        if scope.path.endswith(".jar"):
            raise Forbidden("jars are not for you")
        return Principal(user)


def test_the_host_s_login_decides_by_registry_and_path(sites: Sites) -> None:
    gateway = Gateway()
    site = sites(authenticator=gateway, credentials={"X-Forwarded-User": "ann"})
    assert site.make_ready(POM).status == 200
    assert gateway.scopes[0] == Scope("solo", POM, group="default")
    answer = site.get(JAR)
    assert (answer.status, answer.problem["detail"]) == (403, "jars are not for you")
    assert "WWW-Authenticate" not in answer
    assert site.door.ask("GET", f"/maven/solo/{POM}").status == 401


@pytest.mark.parametrize("path", [POM, f"{POM}.sha1", "absent.pom"])
def test_a_ready_answer_is_decided_about_once_and_by_the_path_asked_for(
    sites: Sites, path: str
) -> None:
    gateway = Gateway()
    site = sites(authenticator=gateway, credentials={"X-Forwarded-User": "ann"})
    site.fill(POM)
    for _ in range(2):
        site.get(path)
    gateway.scopes.clear()
    site.get(path)
    assert site.door.ask("GET", f"/maven/solo/{path}").status == 401
    assert gateway.scopes == [Scope("solo", path, group="default")] * 2


class Reserved(Anonymous):
    """Everybody, except for one file."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        if scope.path == JAR:
            raise Forbidden("not this one")
        return super().admit(credentials, scope)


def test_a_kind_of_anonymous_is_asked_like_any_other(quick_sites: Sites) -> None:
    site = quick_sites(authenticator=Reserved())
    assert [site.get(path).status for path in (POM, JAR)] == [200, 403]


@define
class Flaky:
    """Breaks its contract when told to."""

    broken: bool = False

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        if self.broken:
            raise ValueError("password of the directory: hunter2")
        return Principal("ann")


def test_a_faulty_login_admits_nobody_and_tells_nothing(
    sites: Sites, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = Flaky()
    site = sites(authenticator=flaky)
    site.make_ready(POM)
    site.fill(JAR)
    flaky.broken = True
    with caplog.at_level(logging.CRITICAL, "virtreg"):
        for path in (POM, JAR, "absent.pom"):
            answer = site.get(path)
            assert (answer.status, answer.problem["code"]) == (500, "internal_error")
            assert b"hunter2" not in answer.body
    flaky.broken = False
    assert site.get(JAR).body == LARGE_BODY


def test_a_path_does_not_begin_a_line_in_the_log(
    quick_sites: Sites, caplog: pytest.LogCaptureFixture
) -> None:
    site = quick_sites(authenticator=Flaky(broken=True))
    assert site.get("a%0AERROR%20forged%1B[2J").status == 500
    (record,) = [one for one in caplog.records if one.name == "virtreg.wsgi.app"]
    assert record.getMessage().isprintable()

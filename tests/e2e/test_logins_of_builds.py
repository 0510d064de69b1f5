"""Build tools log in, as well and as badly as people set them up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import gradle, ivy, sample, shelves
from tests.e2e.clients import Login
from tests.e2e.maven import Maven, header, password
from tests.e2e.nginx import Nginx
from tests.e2e.processes import until
from tests.e2e.server import Upstream
from tests.e2e.stored import PullFailed
from tests.e2e.tenants import USER, WRONG, Tenants, tenants

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

REALM = "GitLab Virtual Registry"
POM = "/maven/main/com/example/lab/catalog/1.0/catalog-1.0.pom"
CATALOG = (shelves.GROUP, "catalog", "1.0")


@pytest.fixture(scope="module")
def place(
    repositories: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    (folder / "nginx").mkdir()
    with Nginx(folder / "nginx", repositories) as web:
        upstreams = [Upstream(name, web.url(name)) for name in shelves.UPSTREAMS]
        with tenants(folder / "virtreg", upstreams, "maven") as place:
            yield place


@pytest.fixture(scope="module")
def login(place: Tenants) -> Login:
    """A good one."""
    return place.personal().login


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    return sample.write_consumer(tmp_path / "consumer", CATALOG)


def test_maven_builds_with_a_password(
    place: Tenants, login: Login, mvn: Maven, consumer: Path
) -> None:
    build = mvn.run(place.server.maven, consumer, "package", server=password(*login))
    assert build.code == 0, build.output
    assert build.fetched("catalog-1.0.jar")


@pytest.mark.parametrize(
    ("name", "kind", "flags"),
    [
        ("Private-Token", "personal", ("--user", USER)),
        ("Private-Token", "group", ("--group", "team")),
        ("Deploy-Token", "deploy", ("--group", "team")),
        ("Job-Token", "job", ("--user", USER)),
    ],
)
def test_maven_builds_with_a_token_in_a_header(
    name: str, kind: str, flags: tuple[str, ...], place: Tenants, mvn: Maven, consumer: Path
) -> None:
    shown = header(name, place.accounts.token(kind, *flags).secret)
    build = mvn.run(place.server.gitlab, consumer, "package", server=shown)
    assert build.code == 0, build.output
    assert build.fetched("catalog-1.0.jar")


@pytest.mark.parametrize(
    "server",
    [
        pytest.param("", id="nothing"),
        pytest.param(password(USER, WRONG), id="a wrong password"),
        pytest.param(header("Private-Token", WRONG), id="a wrong token"),
    ],
)
def test_maven_says_that_it_was_not_let_in(
    server: str, place: Tenants, mvn: Maven, consumer: Path
) -> None:
    build = mvn.run(place.server.maven, consumer, "package", server=server)
    assert build.code != 0
    assert re.search("authentication failed for .*, status: 401 Unauthorized", build.output)


def test_maven_finds_nothing_in_a_registry_of_others(
    place: Tenants, login: Login, mvn: Maven, consumer: Path
) -> None:
    theirs = place.server.maven.replace("/main", "/theirs")
    build = mvn.run(theirs, consumer, "package", server=password(*login))
    assert build.code != 0
    assert re.search("Could not find artifact .* in lab", build.output)


def test_maven_needs_no_password_for_what_is_public(
    place: Tenants, mvn: Maven, consumer: Path
) -> None:
    build = mvn.run(place.server.maven.replace("/main", "/open"), consumer, "package")
    assert build.code == 0, build.output


def test_gradle_builds_with_a_password(place: Tenants, login: Login, tmp_path: Path) -> None:
    wanted = ("com.google.guava:guava:debian", ":".join(CATALOG))
    resolved = gradle.build(tmp_path / "gradle", place.server.maven, *wanted, login=login)
    assert {"guava-debian.jar", "catalog-1.0.jar"} <= resolved


@pytest.mark.parametrize("login", [None, (USER, WRONG)], ids=["nothing", "a wrong password"])
def test_gradle_says_that_it_was_not_let_in(
    login: Login | None, place: Tenants, tmp_path: Path
) -> None:
    with pytest.raises(PullFailed, match="Received status code 401 from server: Unauthorized"):
        gradle.build(tmp_path / "gradle", place.server.maven, ":".join(CATALOG), login=login)


def test_a_login_for_the_realm_of_the_challenge_is_found(
    place: Tenants, login: Login, tmp_path: Path
) -> None:
    """Ivy, and sbt with it, look for the credentials of the realm they are told, word for word."""
    arrived = ivy.retrieve(tmp_path / "ivy", place.server.maven, *CATALOG, login=(REALM, *login))
    assert arrived == {"catalog-1.0.jar"}


def test_a_login_for_another_realm_is_not_sent(
    place: Tenants, login: Login, tmp_path: Path
) -> None:
    with pytest.raises(PullFailed, match=f"module not found: {shelves.GROUP}#catalog;1.0"):
        ivy.retrieve(
            tmp_path / "ivy", place.server.maven, *CATALOG, login=("Other Registry", *login)
        )


def test_the_challenge_is_basic_with_the_realm_of_the_documentation(place: Tenants) -> None:
    answer = place.ask(POM)
    assert answer.status == 401
    assert answer.headers.get_all("WWW-Authenticate") == [f'Basic realm="{REALM}", charset="UTF-8"']
    wrong = place.ask(POM, (USER, WRONG))
    assert wrong.status == 401
    assert wrong.headers.get_all("WWW-Authenticate") == [f'Basic realm="{REALM}", charset="UTF-8"']


def test_one_file_is_there_for_some_and_not_for_others(place: Tenants, login: Login) -> None:
    for path, status in (
        (POM, 200),
        (POM.replace("/main/", "/theirs/"), 404),
        (POM.replace("/main/", "/nowhere/"), 404),
    ):
        assert place.ask(path, login).status == status
    assert place.ask(POM, headers={"Private-Token": login[1]}).status == 200
    assert place.ask(POM, headers={"Authorization": f"Bearer {login[1]}"}).status == 200
    assert place.ask(POM, headers={"Deploy-Token": login[1]}).status == 401


def test_a_token_without_the_scope_to_read_is_forbidden(place: Tenants) -> None:
    token = place.accounts.token("personal", "--user", USER, "--scopes", "read_api")
    assert place.ask(POM, token.login).status == 403


def test_a_revoked_token_is_good_no_more(place: Tenants) -> None:
    token = place.personal()
    assert place.ask(POM, token.login).status == 200
    place.accounts.revoke(token)
    until(lambda: place.ask(POM, token.login).status == 401, "end of the token", 5)

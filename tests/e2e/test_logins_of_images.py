"""People log in with the clients of images, as well and as badly as people do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import images, oras_client
from tests.e2e.clients import CLIENTS, Client, Login
from tests.e2e.containerd import Containerd, mirrored
from tests.e2e.docker import Docker
from tests.e2e.hanging import hang
from tests.e2e.images import Image
from tests.e2e.processes import until
from tests.e2e.server import Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import PullFailed, Stored
from tests.e2e.tenants import NAMESPACE, USER, WRONG, Tenants, basic, bearer, tenants
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

APP = images.multi("team/app")
REPORT = images.artifact("team/report", b"nothing to report\n")
SECONDS = 60.0

_DENIED = "unauthorized: a login is needed for this repository"
_UNKNOWN = "unknown user name or token, or the token has expired or was revoked"
_OTHER = "unauthorized: the token was not given for this repository: its login may not pull it"
_CONTAINERS = {
    "no login": _DENIED,
    "wrong password": "invalid username/password",
    "revoked token": f"unable to retrieve auth token: .*{_UNKNOWN}",
    "registry of others": _OTHER,
}
_DOCKER = "repository does not exist or may require 'docker login'"
_CONTAINERD = "pull access denied, repository does not exist or may require authorization"
_NO_TOKEN = "failed to authorize: failed to fetch oauth token: .*401 Unauthorized"
SAID = {
    "skopeo": _CONTAINERS,
    "podman": _CONTAINERS,
    "buildah": _CONTAINERS,
    "docker": {
        "no login": _DOCKER,
        "wrong password": f"unauthorized: .*{_UNKNOWN}",
        "revoked token": "unauthorized: the login has ended; log in again",
        "registry of others": _DOCKER,
    },
    "containerd": {
        "no login": _CONTAINERD,
        "wrong password": _NO_TOKEN,
        "revoked token": _NO_TOKEN,
        "registry of others": _CONTAINERD,
    },
}
"""What each client prints, as a regular expression: its own words, or those of the server."""


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        for image in (APP, REPORT):
            hang(origin, image)
        origin.put("v2/team/app/tags/list", b'{"name": "team/app", "tags": ["1"]}')
        yield origin


@pytest.fixture(scope="module")
def place(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    with tenants(folder / "virtreg", [Upstream("origin", origin.url)], "container") as place:
        yield place


@pytest.fixture(scope="module")
def login(place: Tenants) -> Login:
    """A good one."""
    return place.personal().login


@pytest.fixture
def skopeo(tmp_path: Path) -> Skopeo:
    return Skopeo(tmp_path / "skopeo")


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    with CLIENTS[request.param](tmp_path / request.param) as client:
        yield client


def _named(place: Tenants, registry: str, image: Image = APP) -> str:
    return image.by_tag(f"{place.server.host}/{registry}")


def _log_in_and_pull(client: Client, place: Tenants, login: Login) -> None:
    client.login(place.server.host, login)
    client.pull(APP, _named(place, "main"), SECONDS)


def test_who_logged_in_pulls(client: Client, place: Tenants, login: Login) -> None:
    _log_in_and_pull(client, place, login)


def test_who_did_not_log_in_is_told_to(client: Client, place: Tenants) -> None:
    with pytest.raises(PullFailed, match=SAID[client.name]["no login"]):
        client.pull(APP, _named(place, "main"), SECONDS)


def test_what_is_public_is_pulled_without_a_login(client: Client, place: Tenants) -> None:
    assert place.ask("/v2/").status == 401
    client.pull(APP, _named(place, "open"), SECONDS)


def test_a_wrong_password_is_told(client: Client, place: Tenants) -> None:
    with pytest.raises(PullFailed, match=SAID[client.name]["wrong password"]):
        _log_in_and_pull(client, place, (USER, WRONG))


def test_a_revoked_token_is_told(client: Client, place: Tenants) -> None:
    token = place.personal()
    _log_in_and_pull(client, place, token.login)
    place.accounts.revoke(token)
    until(lambda: place.grant("main/team/app", token.login).status == 401, "end of the token", 5)
    with pytest.raises(PullFailed, match=SAID[client.name]["revoked token"]):
        client.pull(APP, _named(place, "main"), SECONDS)


def test_a_registry_of_others_is_not_pulled_from(
    client: Client, place: Tenants, login: Login
) -> None:
    client.login(place.server.host, login)
    with pytest.raises(PullFailed, match=SAID[client.name]["registry of others"]):
        client.pull(APP, _named(place, "theirs"), SECONDS)


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ("personal", ("--user", USER)),
        ("group", ("--group", "team")),
        ("deploy", ("--group", "team")),
        ("job", ("--user", USER)),
    ],
)
def test_every_kind_of_token_is_a_password(
    kind: str, flags: tuple[str, ...], place: Tenants, skopeo: Skopeo
) -> None:
    skopeo.login(place.server.host, place.accounts.token(kind, *flags).login)
    assert skopeo.copy(_named(place, "main"), everything=True) == APP.digests


def test_a_token_of_others_opens_nothing_here(place: Tenants, skopeo: Skopeo) -> None:
    skopeo.login(place.server.host, place.accounts.token("deploy", "--group", "others").login)
    assert skopeo.copy(_named(place, "theirs"), everything=True) == APP.digests
    with pytest.raises(PullFailed, match=_OTHER):
        skopeo.copy(_named(place, "main"))


def test_docker_takes_what_is_public_for_a_mirror(place: Tenants, tmp_path: Path) -> None:
    with Docker(tmp_path / "docker", f"http://{place.server.host}") as docker:
        assert docker.pull("team/app:1") == Stored.of(APP)


def test_containerd_sends_a_mirror_the_header_it_was_told(
    place: Tenants, login: Login, tmp_path: Path
) -> None:
    hosts = mirrored(
        tmp_path / "certs.d",
        NAMESPACE,
        f"http://{place.server.host}",
        basic(login)["Authorization"],
    )
    with Containerd(tmp_path / "containerd") as containerd:
        held = containerd.pull(APP.by_tag(NAMESPACE), hosts=hosts)
    assert {APP.digest, *APP.first} <= held


def test_skopeo_inspects_and_lists_tags(place: Tenants, login: Login, skopeo: Skopeo) -> None:
    with pytest.raises(PullFailed, match=_DENIED):
        skopeo.tags(f"{place.server.host}/main/team/app")
    skopeo.login(place.server.host, login)
    assert skopeo.digest(_named(place, "main")) == APP.digest
    assert skopeo.tags(f"{place.server.host}/main/team/app") == ["1"]


def test_oras_pulls_with_what_it_was_told(place: Tenants, login: Login, tmp_path: Path) -> None:
    logins = tmp_path / "logins.json"
    oras_client.login(place.server.host, login, logins)
    reference = _named(place, "main", REPORT)
    files = oras_client.pull(place.server.host, reference, tmp_path / "files", logins)
    assert files == {"report.txt": b"nothing to report\n"}


def test_oras_tells_of_a_wrong_password(place: Tenants, login: Login) -> None:
    host, path = place.server.host, "/v2/main/team/report/manifests/1"
    assert oras_client.ask(host, path, login) == 200
    with pytest.raises(ValueError, match="Cannot respond to request for authentication"):
        oras_client.ask(host, path, (USER, WRONG))


def test_strangers_are_told_nothing_but_where_to_get_a_token(place: Tenants) -> None:
    answers = [
        place.ask(f"/v2/{registry}/team/{name}/manifests/1")
        for registry, name in (("main", "app"), ("main", "absent"), ("theirs", "app"))
    ]
    for answer in answers:
        assert answer.status == 401
        assert f'realm="http://{place.server.host}/jwt/auth"' in answer.headers["WWW-Authenticate"]
        assert answer.document["errors"][0]["code"] == "UNAUTHORIZED"
    assert answers[0].body == answers[2].body


def test_a_token_for_nobody_is_for_public_registries_alone(place: Tenants) -> None:
    shown = bearer(place.grant("open/team/app"))
    assert place.ask("/v2/open/team/app/manifests/1", headers=shown).status == 200
    refused = place.ask("/v2/main/team/app/manifests/1", headers=shown)
    assert refused.status == 401
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


def test_a_grant_outlives_a_restart(place: Tenants, login: Login) -> None:
    shown = bearer(place.grant("main/team/app", login))
    place.server.stop()
    place.server.start()
    asked = place.ask("/v2/main/team/app/manifests/1", headers=shown)
    assert (asked.status, asked.body) == (200, APP.top.body)

"""A group that is switched off has no registries, for anybody, until an administrator switches it
on again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from tests.e2e import images
from tests.e2e.hanging import hang
from tests.e2e.management import CONTAINER, GROUP, MAVEN, Caller, House, Registry, house
from tests.e2e.server import Setting, Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.stored import PullFailed
from tests.e2e.tenants import basic
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

FILE = "com/acme/app/1.0/app-1.0.jar"
IMAGE = images.single("team/app")
MANIFEST = f"{IMAGE.name}/manifests/{IMAGE.tag}"


@frozen
class Switched:
    """``files`` and ``pictures`` are of the group, ``open`` too and everybody may pull from it,
    ``theirs`` is of another group."""

    home: House
    files: Registry
    pictures: Registry
    theirs: Registry
    member: Caller

    def switch(self, *, on: bool) -> None:
        answer = self.home.admin.group("PATCH", "settings", {"enabled": on})
        assert answer.status == 200
        assert answer.json["enabled"] is on

    def paths(self) -> list[str]:
        """Of what the group has."""
        numbered = f"/api/v4/virtual_registries/{MAVEN}/{self.files.id}"
        return [
            f"/maven/{self.files.slug}/{FILE}",
            f"/maven/{self.files.slug}/{FILE}.sha1",
            f"/maven/open/{FILE}",
            f"{numbered}/{FILE}",
            f"/v2/{self.pictures.slug}/{MANIFEST}",
            f"/v2/{self.pictures.slug}/_catalog",
        ]


@pytest.fixture
def switched(tmp_path: Path) -> Iterator[Switched]:
    with Origin({FILE: b"PK file"}) as origin, Origin({FILE: b"PK theirs"}) as other:
        hang(origin, IMAGE)
        upstream = Upstream(
            "declared", f"{origin.named_url}", {"allow_private": ["::1", "127.0.0.0/8"]}
        )
        also: dict[str, dict[str, Setting]] = {"open": {"group": GROUP, "public": True}}
        with house(tmp_path / "virtreg", [upstream], also=also) as home:
            home.accounts.add_member(GROUP, "member")
            home.accounts.add_group("others")
            files, pictures = (
                home.admin.make(MAVEN, "files"),
                home.admin.make(CONTAINER, "pictures"),
            )
            theirs = home.admin.make(MAVEN, "theirs", "others")
            files.upstream("near", origin.url)
            pictures.upstream("near", origin.url)
            theirs.upstream("far", other.url)
            member = home.caller("--user", "member", "--scopes", "api")
            yield Switched(home, files, pictures, theirs, member)


def test_what_is_switched_off_is_not_there(switched: Switched) -> None:
    nobody = Caller(switched.member.port)
    admin = switched.home.admin
    for _ in range(2):  # the second time out of what is kept ready
        for path in switched.paths():
            assert switched.member.ask("GET", path).status == 200, path
        assert nobody.ask("GET", f"/maven/open/{FILE}").status == 200
        assert switched.theirs.pull(FILE).body == b"PK theirs"

    switched.switch(on=False)
    for restart in (False, True):
        if restart:
            switched.home.server.stop()
            switched.home.server.start()
        for who in (switched.member, admin):
            for path in switched.paths():
                for method in ("GET", "HEAD"):
                    answer = who.ask(method, path, headers={"If-None-Match": "*"})
                    assert answer.status == 404, (path, answer)
        for path in switched.paths():
            assert nobody.ask("GET", path).status == 401, path
        for who in (switched.member, admin):
            assert who.group("GET", f"{MAVEN}/registries").status == 404
            assert who.group("GET", f"{CONTAINER}/upstreams").status == 404
            assert who.api("GET", f"{MAVEN}/registries/{switched.files.id}").status == 404
            assert who.api("DELETE", f"{MAVEN}/registries/{switched.files.id}").status == 404
        assert switched.member.group("GET", "settings").status == 404
        assert admin.group("GET", "settings").json["enabled"] is False
        assert switched.theirs.pull(FILE).body == b"PK theirs"

    switched.switch(on=True)
    for path in switched.paths():
        assert switched.member.ask("GET", path).status == 200, path
    assert nobody.ask("GET", f"/maven/open/{FILE}").status == 200


def test_an_image_client_that_has_its_grant_already(switched: Switched, tmp_path: Path) -> None:
    skopeo = Skopeo(tmp_path / "skopeo")
    login = switched.home.accounts.token("personal", "--user", "member").login
    reference = f"{switched.home.server.host}/{switched.pictures.slug}/{IMAGE.name}:{IMAGE.tag}"
    assert IMAGE.digest in skopeo.copy(reference, login=login)
    name = f"repository:{switched.pictures.slug}/{IMAGE.name}:pull"
    granted = Caller(switched.member.port, basic(login)).ask(
        "GET", f"/jwt/auth?service=virtreg&scope={name}"
    )
    grant = Caller(switched.member.port, {"Authorization": f"Bearer {granted.json['token']}"})
    manifest = f"/v2/{switched.pictures.slug}/{MANIFEST}"
    assert grant.ask("GET", manifest).status == 200
    switched.switch(on=False)
    assert grant.ask("GET", manifest).status in (401, 404)
    with pytest.raises(PullFailed):
        skopeo.copy(reference, login=login)
    switched.switch(on=True)
    assert grant.ask("GET", manifest).status == 200
    assert IMAGE.digest in skopeo.copy(reference, login=login)

"""What one group holds is no other's to learn: neither that it is cached, nor that it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wsgi.answers import Answer
from tests.wsgi.conftest import Sites
from tests.wsgi.doors import NOTHING, Named
from tests.wsgi.galleries import Galleries
from tests.wsgi.images import LARGE_LAYER, LAYER, MANIFEST, code, digest
from tests.wsgi.sites import JAR, METADATA, POM
from tests.wsgi.tenants import Office, Tenants, bearer, opened, tenants
from virtreg.backends.auth.tokens import TokenAuthenticator
from virtreg.testing.fakes import FakeClock

IMAGE = "of-ours/app"
HELD = [
    f"{IMAGE}/manifests/latest",
    f"{IMAGE}/manifests/{digest(MANIFEST)}",
    f"{IMAGE}/blobs/{digest(LAYER)}",
    f"{IMAGE}/blobs/{digest(LARGE_LAYER)}",
    f"{IMAGE}/tags/list",
    f"{IMAGE}/referrers/{digest(MANIFEST)}",
]
SHAPES = ["/v2/ours/", "/ours/v2/", "/v2/virtual_registries/container/1/"]
ASKING: list[Named] = [
    NOTHING,
    {"If-None-Match": f'"{digest(MANIFEST).removeprefix("sha256:")}"'},
    {"If-None-Match": "*"},
    {"If-Match": '"x"'},
    {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"},
    {"Range": "bytes=0-0"},
    {"Range": "bytes=999999999-"},
]


@pytest.fixture
def people() -> Iterator[Tenants]:
    found = tenants()
    yield found
    found.logins.close()


@pytest.fixture
def office(galleries: Galleries, tmp_path: Path, people: Tenants) -> Office:
    return opened(galleries, tmp_path, people.logins)


def _seen(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    return answer.status, answer.ours, answer.body


def _nothing_to_tell_apart(office: Office, shown: Named, status: int) -> None:
    """Whatever ``ours`` holds is answered as what it does not hold, and nobody looks for it."""
    shelf = office.site.shelves["ours"]
    for url in SHAPES:
        for path in HELD:
            absent = path.replace("sha256:", "sha256:0000")[: len(path)].replace("latest", "absent")
            if path == absent:
                absent = path.replace(digest(MANIFEST), "sha256:" + "0" * 64)
            looked = len(shelf.resolved)
            for more in ASKING:
                for method in ("GET", "HEAD"):
                    headers = {**shown, **more}
                    there = office.site.door.ask(method, url + path, headers)
                    nowhere = office.site.door.ask(method, url + absent, headers)
                    assert there.status == status
                    assert _seen(there) == _seen(nowhere)
                    for name in ("ETag", "Last-Modified", "X-Virtreg-Cache", "Content-Range"):
                        assert name not in there
            assert len(shelf.resolved) == looked


def _make_ready(office: Office, ann: Named) -> None:
    office.site.shelves["ours"].expires_at = office.site.clock() + 1000
    for url in SHAPES:
        for path in HELD:
            for _ in range(2):
                assert office.site.both(url + path, ann).status == 200


@pytest.mark.parametrize("ready", [False, True], ids=["long-way", "ready"])
def test_the_images_of_another_group(office: Office, people: Tenants, ready: bool) -> None:
    if ready:
        _make_ready(office, people.ann)
    _nothing_to_tell_apart(office, people.tom, 404)
    _nothing_to_tell_apart(office, {"Private-Token": people.tom_s_token}, 404)


@pytest.mark.parametrize("ready", [False, True], ids=["long-way", "ready"])
def test_the_images_of_a_group_and_those_who_show_no_good_login(
    quick_galleries: Galleries, tmp_path: Path, people: Tenants, ready: bool
) -> None:
    office = opened(quick_galleries, tmp_path, people.logins)
    if ready:
        _make_ready(office, people.ann)
    grant = office.grant(f"repository:ours/{IMAGE}:pull", login=people.tom)
    for shown in (NOTHING, {"Private-Token": "x"}, bearer("x"), grant):
        _nothing_to_tell_apart(office, shown, 401)


def test_a_registry_of_another_group_is_as_one_that_is_not_there(
    office: Office, people: Tenants
) -> None:
    for hidden, absent in (
        ("/v2/ours/x/tags/list", "/v2/nowhere/x/tags/list"),
        ("/v2/ours/", "/v2/nowhere/"),
        ("/v2/ours/_catalog", "/v2/nowhere/_catalog"),
        ("/ours/v2/x/tags/list", "/nowhere/v2/x/tags/list"),
        ("/v2/virtual_registries/container/1/x/tags/list", "/v2/virtual_registries/container/9/x"),
        ("/v2/x/tags/list?ns=ours.example", "/v2/x/tags/list?ns=else.example"),
        ("/v2/ours/x/tags/list?ns=%", "/v2/nowhere/x/tags/list?ns=%"),
    ):
        there, nowhere = (office.site.both(one, people.tom) for one in (hidden, absent))
        assert _seen(_without_names(there)) == _seen(_without_names(nowhere))
        assert there.status == nowhere.status
        assert office.site.door.ask("DELETE", hidden, people.tom).status == there.status


def _without_names(answer: Answer) -> Answer:
    body = answer.body.replace(b"else.example", b"ours.example")
    return Answer(answer.status, answer.headers, body)


def test_a_grant_for_another_group_says_nothing(office: Office, people: Tenants) -> None:
    asked = [office.ask(f"repository:{one}:pull", login=people.tom) for one in _NAMES]
    assert [answer.status for answer in asked] == [200] * len(_NAMES)
    assert len({frozenset(answer.ours) for answer in asked}) == 1
    assert office.site.shelves["ours"].resolved == []


_NAMES = (f"ours/{IMAGE}", "ours/absent", "nowhere/app")


def test_each_group_gets_its_own(office: Office, people: Tenants) -> None:
    for _ in range(2):
        for name, login in (("ours", people.ann), ("theirs", people.tom)):
            shown = office.grant(f"repository:{name}/of-{name}/app:pull", login=login)
            for headers in (login, shown):
                target = f"/v2/{name}/of-{name}/app/manifests/latest"
                assert office.site.both(target, headers).body == MANIFEST
    ours = office.site.both("/v2/ours/_catalog", people.ann).body
    assert ours != office.site.both("/v2/theirs/_catalog", people.tom).body
    assert code(office.site.both("/v2/ours/_catalog", people.tom)) == "NAME_UNKNOWN"


def test_the_packages_of_another_group(quick_sites: Sites, people: Tenants) -> None:
    """The registries of a site are of the group ``default``."""
    directory = people.directory
    directory.add_group("default")
    logins = TokenAuthenticator(directory, FakeClock())
    tom, ann = people.tom, people.ann
    directory.set_role("default", "ann", directory.roles("ann")["ours"])
    site = quick_sites(authenticator=logins, credentials=ann)
    for path in (POM, JAR):
        site.make_ready(path)
    site.merge()
    requests = len(site.near.requests)
    etag = site.get(POM)["ETag"]
    for path in (POM, f"{POM}.sha1", JAR, METADATA):
        for method in ("GET", "HEAD"):
            for more in (NOTHING, {"If-None-Match": etag}, {"Range": "bytes=0-0"}):
                nowhere = site.door.ask(method, "/maven/nowhere/absent.pom", {**tom, **more})
                unknown = site.door.ask(method, "/maven/solo/absent.pom", more)
                for url in ("/maven/solo/", "/api/v4/virtual_registries/packages/maven/7/"):
                    hidden = site.door.ask(method, url + path, {**tom, **more})
                    assert (hidden.status, _seen(hidden)) == (404, _seen(nowhere))
                    stranger = site.door.ask(method, url + path, more)
                    assert (stranger.status, _seen(stranger)) == (401, _seen(unknown))
    assert len(site.near.requests) == requests
    logins.close()


def test_a_cache_on_the_way_may_not_keep_what_not_everybody_may_have(
    office: Office, people: Tenants
) -> None:
    shown = office.grant(f"repository:ours/{IMAGE}:pull", login=people.ann)
    for _ in range(2):
        private = office.site.both(f"/v2/ours/{HELD[1]}", shown)
        assert private["Cache-Control"] == "private, no-cache"
        assert "Cache-Control" not in office.site.both("/v2/open/of-open/app/manifests/latest")

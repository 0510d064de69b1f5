"""Strangers do not learn which private registries there are from what they are refused with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wsgi.answers import Answer
from tests.wsgi.conftest import Sites
from tests.wsgi.doors import NOTHING, Named
from tests.wsgi.galleries import Galleries
from tests.wsgi.images import code, spec
from tests.wsgi.sites import POM
from tests.wsgi.tenants import SPECS, Office, Tenants, add_user, bearer, challenge, opened, tenants
from virtreg import Unauthenticated
from virtreg.model import Credentials, Principal, Scope

PATHS = [
    "",
    "x/manifests/latest",
    "x/tags/list",
    "x/%ff",
    "%ff",
    "x/%C3/manifests/latest",
    "_catalog",
    "X/manifests/latest",
    "a/../b",
    "x/blobs/uploads/",
    "x//manifests/latest",
    "x/manifests/latest?ns=%",
]
SHAPES = [
    ("/v2/ours", "/v2/none"),
    ("/ours/v2", "/none/v2"),
    ("/v2/virtual_registries/container/1", "/v2/virtual_registries/container/9"),
]
PACKAGES = "/api/v4/virtual_registries/packages/maven"


@pytest.fixture
def people() -> Iterator[Tenants]:
    found = tenants()
    yield found
    found.logins.close()


@pytest.fixture
def office(quick_galleries: Galleries, tmp_path: Path, people: Tenants) -> Office:
    return opened(quick_galleries, tmp_path, people.logins)


def _seen(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """All but the name, which the challenge repeats as the URL has it."""
    headers = {
        name: re.sub(r"\b(ours|none|(?<=container/)[19])\b", "NAME", value)
        for name, value in answer.ours.items()
    }
    return answer.status, headers, answer.body


def _alike(office: Office, shown: Named) -> set[int]:
    """The statuses; asserts that each is that of the other registry as well."""
    statuses = set()
    for there, nowhere in SHAPES:
        for path in PATHS:
            for method in ("GET", "HEAD", "DELETE"):
                one = office.site.door.ask(method, f"{there}/{path}", shown)
                other = office.site.door.ask(method, f"{nowhere}/{path}", shown)
                assert _seen(one) == _seen(other), (method, there, path)
                statuses.add(one.status)
        bare = (office.site.door.ask("GET", url, shown) for url in (there, nowhere))
        assert len({str(_seen(answer)) for answer in bare}) == 1
    return statuses


def test_strangers_are_challenged_for_images_that_are_nowhere_as_for_private_ones(
    office: Office,
) -> None:
    assert _alike(office, NOTHING) == {401}
    assert _alike(office, {"Private-Token": "guess"}) == {401}
    answer = office.site.both("/v2/none/x/manifests/latest")
    assert challenge(answer)["scope"] == "repository:none/x:pull"


@pytest.mark.parametrize(
    "scopes", [(), ("repository:theirs/of-theirs/app:pull",), ("registry:theirs/catalog:*",)]
)
def test_a_grant_for_something_else_tells_nothing(
    office: Office, people: Tenants, scopes: tuple[str, ...]
) -> None:
    assert _alike(office, office.grant(*scopes, login=people.tom)) == {401}
    assert _alike(office, office.grant(*scopes)) == {401}
    assert _alike(office, bearer("x")) == {401}


def test_who_is_known_is_told_that_nothing_is_there(office: Office, people: Tenants) -> None:
    assert _alike(office, people.tom) == {400, 404}, "a query that cannot be read is told to be so"
    answer = office.site.both("/v2/none/x/manifests/latest", people.ann)
    assert (answer.status, code(answer)) == (404, "NAME_UNKNOWN")


def test_a_ping_takes_a_grant_for_something_of_its_registry(
    office: Office, people: Tenants
) -> None:
    own = office.grant("repository:ours/of-ours/app:pull", login=people.ann)
    other = office.grant("repository:theirs/of-theirs/app:pull", login=people.tom)
    for root in ("/v2/ours/", "/ours/v2/", "/v2/?ns=ours.example"):
        assert office.site.both(root, own).status == 200
        refused = office.site.both(root, other)
        assert challenge(refused)["error"] == "insufficient_scope"
    for shown in (own, other, office.grant(login=people.ann)):
        assert office.site.both("/v2/", shown).status == 200


def test_a_namespace_that_no_registry_stands_for_is_absent_for_everybody(office: Office) -> None:
    for target in ("/v2/x/manifests/latest?ns=else.example", "/v2/?ns=else.example"):
        answer = office.site.both(target)
        assert (answer.status, code(answer)) == (404, "NAME_UNKNOWN")


def test_an_id_that_is_no_number_is_told_to_everybody(office: Office) -> None:
    assert office.site.both("/v2/virtual_registries/container/ours/x/tags/list").status == 400


def test_where_all_is_public_an_unknown_name_is_absent(
    quick_galleries: Galleries, tmp_path: Path, people: Tenants
) -> None:
    public = [spec(3, "open", "open.example", group="ours", public=True)]
    office = opened(quick_galleries, tmp_path, people.logins, public)
    assert office.site.both("/v2/none/manifests/latest").status == 404
    assert office.site.both("/none/v2/x/tags/list").status == 404


@pytest.mark.parametrize("url", ["/{}/v2/x/tags/list", "/v2/{}/x/tags/list"])
def test_what_is_refused_before_is_refused_in_the_same_words(
    quick_galleries: Galleries, tmp_path: Path, people: Tenants, url: str
) -> None:
    def crowded(environ: object) -> None:
        raise Unauthenticated("not now")

    office = opened(quick_galleries, tmp_path, people.logins, SPECS, checks=(crowded,))
    there, nowhere = (office.site.both(url.format(name)) for name in ("ours", "none"))
    assert _seen(there) == _seen(nowhere)
    office = opened(quick_galleries, tmp_path, people.logins)
    long = {"X-Long": "v" * 100_000}
    there, nowhere = (office.site.both(url.format(name), long) for name in ("ours", "none"))
    assert (there.status, _seen(there)) == (431, _seen(nowhere))


def test_packages_that_are_nowhere_are_as_private_ones(quick_sites: Sites, people: Tenants) -> None:
    people.directory.add_group("default")
    eve = add_user(people.directory, "eve", "default")
    site = quick_sites(authenticator=people.logins)
    for there, nowhere in (("/maven/solo", "/maven/none"), (f"{PACKAGES}/7", f"{PACKAGES}/9")):
        for path in ("", f"/{POM}", "/%ff", "/a/../b", "/a%C3/b.pom"):
            for method in ("GET", "HEAD", "DELETE"):
                for shown, status in ((NOTHING, 401), (people.tom, 404)):
                    one = site.door.ask(method, there + path, shown)
                    other = site.door.ask(method, nowhere + path, shown)
                    assert (one.status, _seen(one)) == (status, _seen(other))
        guess = {"Private-Token": "guess"}
        one, other = (site.door.ask("GET", f"{url}/{POM}", guess) for url in (there, nowhere))
        assert (one.status, _seen(one)) == (401, _seen(other))
    known = {"Private-Token": eve}
    assert site.door.ask("GET", "/maven/none/a.pom", known).status == 404
    assert site.door.ask("GET", "/maven/solo/%ff", known).status == 400
    for elsewhere in ("/", "/maven", "/maven/", "/npm/none/a", f"{PACKAGES}/", "/favicon.ico"):
        assert site.door.ask("GET", elsewhere).status == 404
    assert site.door.ask("GET", f"{PACKAGES}/x/a").status == 400
    assert site.near.requests == []


class Choosy:
    """A host's login that keeps no secret of what it has."""

    def admit(self, credentials: Credentials, scope: Scope) -> Principal:
        if credentials.authorization is None:
            raise Unauthenticated("sign in")
        if scope.registry != "solo":
            raise Unauthenticated("not for you") if scope.registry else KeyError("no such registry")
        return Principal("ann")


def test_a_login_that_breaks_at_unknown_names_is_an_error_and_no_way_in(
    quick_sites: Sites, caplog: pytest.LogCaptureFixture
) -> None:
    site = quick_sites(authenticator=Choosy())
    assert site.door.ask("GET", "/maven/none/a.pom").status == 401
    answer = site.door.ask("GET", "/maven/none/a.pom", {"Authorization": "x"})
    assert answer.status == 500
    assert "no such registry" in caplog.text

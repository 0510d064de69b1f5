from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.security import generate_password_hash

from tests.wsgi.doors import Named
from tests.wsgi.galleries import Galleries
from tests.wsgi.images import LAYER, MANIFEST, code, digest, spec
from tests.wsgi.tenants import (
    FORM,
    PATH,
    SERVICE,
    Office,
    Tenants,
    basic,
    bearer,
    challenge,
    opened,
    tenants,
    told,
)
from virtreg.backends.auth.basic import BasicAuthenticator
from virtreg.events import GrantIssued

IMAGE = "of-ours/app"
FILE = f"/v2/ours/{IMAGE}/manifests/latest"
SCOPE = f"repository:ours/{IMAGE}:pull"
OPEN = "repository:open/of-open/app:pull"
SHAPES = [
    (f"/v2/ours/{IMAGE}/manifests/latest", SCOPE),
    (f"/v2/ours/{IMAGE}/blobs/{digest(LAYER)}", SCOPE),
    (f"/v2/ours/{IMAGE}/tags/list", SCOPE),
    (f"/ours/v2/{IMAGE}/manifests/latest", SCOPE),
    (f"/v2/{IMAGE}/manifests/latest?ns=ours.example", SCOPE),
    (
        f"/v2/virtual_registries/container/1/{IMAGE}/manifests/latest",
        f"repository:virtual_registries/container/1/{IMAGE}:pull",
    ),
    ("/v2/ours/_catalog", "registry:ours/catalog:*"),
    ("/ours/v2/_catalog", "registry:ours/catalog:*"),
]


@pytest.fixture
def people() -> Iterator[Tenants]:
    found = tenants()
    yield found
    found.logins.close()


@pytest.fixture
def office(quick_galleries: Galleries, tmp_path: Path, people: Tenants) -> Office:
    return opened(quick_galleries, tmp_path, people.logins)


def test_a_client_that_follows_the_challenge_gets_the_image(
    galleries: Galleries, tmp_path: Path, people: Tenants
) -> None:
    office = opened(galleries, tmp_path, people.logins)
    for target, scope in SHAPES:
        asked = challenge(office.site.both(target))
        assert asked.keys() == {"realm", "service", "scope"}
        assert (asked["service"], asked["scope"]) == (SERVICE, scope)
        assert urlsplit(asked["realm"]).path == office.site.prefix + PATH
        shown = office.grant(asked["scope"], login=people.ann)
        assert office.site.both(target, shown).status == 200


def test_a_grant_is_given_as_clients_read_it(office: Office, people: Tenants) -> None:
    answer = office.ask(SCOPE, login=people.ann)
    given = told(answer)
    assert given.keys() == {"token", "access_token", "expires_in", "issued_at"}
    assert given["expires_in"] == 300
    assert given["issued_at"] == "2023-11-14T22:13:20Z"
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"


def test_a_grant_is_good_for_what_it_was_asked_for(office: Office, people: Tenants) -> None:
    shown = office.grant(SCOPE, login=people.ann)
    assert office.site.both(FILE, shown).body == MANIFEST
    for target in ("/v2/ours/other/manifests/latest", "/v2/ours/_catalog"):
        refused = office.site.both(target, shown)
        assert challenge(refused)["error"] == "insufficient_scope"
        assert code(refused) == "UNAUTHORIZED"
    everything = office.grant("registry:ours/catalog:*", login=people.ann)
    assert office.site.both("/v2/ours/_catalog", everything).status == 200
    assert office.site.both(FILE, everything).status == 401


def test_a_grant_that_is_over_is_asked_for_anew(office: Office, people: Tenants) -> None:
    office.site.shelves["ours"].expires_at = office.site.clock() + 1000
    shown = office.grant(SCOPE, login=people.ann)
    for _ in range(2):
        assert office.site.both(FILE, shown).body == MANIFEST
    office.clock.advance(360)
    for target in (FILE, "/v2/"):
        assert challenge(office.site.both(target, shown))["error"] == "invalid_token"
    assert office.site.both(FILE, office.grant(SCOPE, login=people.ann)).body == MANIFEST


def test_a_revoked_token_ends_its_grants(office: Office, people: Tenants) -> None:
    shown = office.grant(SCOPE, login=people.ann)
    people.directory.revoke_token("ann", 1.0)
    people.logins.forget()
    assert challenge(office.site.both(FILE, shown))["error"] == "invalid_token"
    assert office.ask(SCOPE, login=people.ann).status == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "\xe9", "x" * 7000])
def test_what_is_no_grant_is_told_to_be_none(office: Office, token: str) -> None:
    for target in (FILE, "/v2/"):
        assert challenge(office.site.both(target, bearer(token)))["error"] == "invalid_token"


def test_a_token_of_the_directory_is_taken_without_a_grant(office: Office, people: Tenants) -> None:
    token = people.ann_s_token
    for shown in (people.ann, bearer(token), {"Private-Token": token}):
        assert office.site.both(FILE, shown).body == MANIFEST
        assert office.site.both("/v2/", shown).body == b"{}"


def test_a_login_without_a_scope_is_answered_at_the_root(
    galleries: Galleries, tmp_path: Path, people: Tenants
) -> None:
    office = opened(galleries, tmp_path, people.logins)
    asked = challenge(office.site.both("/v2/"))
    assert asked.keys() == {"realm", "service"}
    for login in (people.ann, people.tom):
        assert office.site.both("/v2/", office.grant(login=login)).status == 200


def test_a_wrong_login_is_told_with_and_without_a_scope(office: Office, people: Tenants) -> None:
    wrong = (basic("ann", "wrong"), basic("bob", people.ann_s_token), basic("ann", ""))
    for login in (*wrong, {"Authorization": "Basic !"}, {"Authorization": "Digest x"}):
        for scopes in ((), (SCOPE,)):
            answer = office.ask(*scopes, login=login)
            assert (answer.status, code(answer)) == (401, "UNAUTHORIZED")
            assert answer["WWW-Authenticate"].startswith('Basic realm="Test"')


def test_a_grant_is_no_login(office: Office, people: Tenants) -> None:
    shown = office.grant(SCOPE, login=people.ann)
    assert office.ask(SCOPE, login=shown).status == 401


def test_more_than_is_allowed_may_be_asked_for(office: Office, people: Tenants) -> None:
    shown = office.grant(
        f"repository:ours/{IMAGE}:pull,push,delete",
        "repository:theirs/of-theirs/app:pull repository:open/of-open/app:*",
        "repository:nowhere/app:pull",
        "repository:OURS/app:pull",
        "repository:ours:pull",
        "repository:ours/push-only:push",
        "registry:catalog:*",
        "plugin:x:y",
        "nonsense",
        login=people.ann,
    )
    assert office.site.both(FILE, shown).status == 200
    assert office.site.both("/v2/open/of-open/app/manifests/latest", shown).status == 200
    for target in ("/v2/theirs/of-theirs/app/manifests/latest", "/v2/ours/push-only/tags/list"):
        assert office.site.both(target, shown).status == 401
    (event,) = office.audit.events
    assert isinstance(event, GrantIssued)
    assert (event.actor, event.token_id, event.seconds) == ("ann", "ann", 300)
    assert event.repositories == ("open/of-open/app", f"ours/{IMAGE}")


def test_strangers_are_given_what_is_public(office: Office) -> None:
    public = "/v2/open/of-open/app/manifests/latest"
    shown = office.grant("repository:open/of-open/app:pull", SCOPE)
    assert office.site.both(public, shown).status == 200
    assert challenge(office.site.both(FILE, shown))["error"] == "insufficient_scope"
    assert office.site.both(public).status == 200


@pytest.mark.parametrize(
    "foreign",
    [
        basic("somebody", "of another registry"),
        bearer("of-another-registry"),
        {"Authorization": ""},
        {"Private-Token": "guess"},
        {"Deploy-Token": "guess"},
        {"Job-Token": "guess"},
    ],
    ids=str,
)
def test_a_login_that_is_shown_must_be_right_also_where_strangers_may_pull(
    office: Office, foreign: Named
) -> None:
    for scopes in ((), (OPEN,), (OPEN, SCOPE), ("nonsense",)):
        answer = office.ask(*scopes, login=foreign)
        assert (answer.status, code(answer)) == (401, "UNAUTHORIZED")
    assert office.audit.events == [], "nothing is given"


def test_a_form_s_login_must_be_right_also_where_strangers_may_pull(office: Office) -> None:
    login = {"grant_type": "password", "username": "ann", "password": "guess"}
    assert office.post(scope=OPEN, **login).status == 401


def test_the_login_of_another_registry_is_no_obstacle_at_a_public_image_itself(
    office: Office,
) -> None:
    foreign = basic("somebody", "of another registry")
    assert office.site.both("/v2/open/of-open/app/manifests/latest", foreign).body == MANIFEST


@pytest.mark.parametrize("door", ["Private-Token", "Authorization"])
def test_a_token_is_a_login_by_whichever_header_it_comes(
    office: Office, people: Tenants, door: str
) -> None:
    token = people.ann_s_token
    login = {door: token if door == "Private-Token" else f"Bearer {token}"}
    for scopes in ((), (SCOPE,), (OPEN,)):
        told(office.ask(*scopes, login=login))
    assert {event.actor for event in office.audit.events} == {"ann"}


def test_where_everything_is_public_nobody_is_challenged(
    quick_galleries: Galleries, tmp_path: Path, people: Tenants
) -> None:
    only = [spec(1, "open", "open.example", group="ours", public=True)]
    office = opened(quick_galleries, tmp_path, people.logins, only)
    assert office.site.both("/v2/").body == b"{}"


def test_a_form_is_taken_in_place_of_a_header(office: Office, people: Tenants) -> None:
    scopes = f"{SCOPE} repository:theirs/x:pull"
    given = told(
        office.post(
            grant_type="password",
            username="ann",
            password=people.ann_s_token,
            service=SERVICE,
            client_id="test",
            scope=scopes,
        )
    )
    assert given["scope"] == SCOPE
    assert "refresh_token" not in given
    assert office.site.both(FILE, bearer(given["token"])).status == 200
    for name, password in (("ann", "wrong"), ("", people.ann_s_token), ("a:n", "n"), ("ann", "")):
        answer = office.post(grant_type="password", username=name, password=password, scope=scopes)
        assert (answer.status, code(answer)) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({}, b"grant_type=password", 415),
        ({"Content-Type": FORM}, b"x" * 65_537, 413),
        ({"Content-Type": FORM}, b"grant_type=magic", 400),
        ({"Content-Type": FORM}, b"", 400),
        ({"Content-Type": FORM}, b"grant_type=password&grant_type=refresh_token", 400),
        ({"Content-Type": FORM}, b"grant_type=password&username=%FF", 400),
        ({"Content-Type": FORM}, b"grant_type=\xff", 400),
        ({"Content-Type": FORM}, b"&x" * 500, 400),
        ({"Content-Type": FORM}, b"grant_type=refresh_token&refresh_token=x", 401),
        ({"Content-Type": FORM}, b"grant_type=refresh_token", 401),
    ],
)
def test_a_form_that_cannot_be_is_refused(
    office: Office, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = office.site.door.ask("POST", PATH, headers, body)
    assert answer.status == status
    assert code(answer)


def test_tokens_are_asked_for_in_two_ways_alone(galleries: Galleries, tmp_path: Path) -> None:
    office = opened(galleries, tmp_path, BasicAuthenticator({}))
    for method in ("HEAD", "PUT", "DELETE"):
        answer = office.site.door.ask(method, PATH)
        assert (answer.status, answer["Allow"]) == (405, "GET, POST")


def test_a_host_s_passwords_work_alike(galleries: Galleries, tmp_path: Path) -> None:
    users = {"ann": generate_password_hash("sesame", method="scrypt:1024:8:1")}
    office = opened(galleries, tmp_path, BasicAuthenticator(users))
    shown = office.grant(SCOPE, login=basic("ann", "sesame"))
    assert office.site.both(FILE, shown).body == MANIFEST
    assert office.site.both(FILE, basic("ann", "sesame")).body == MANIFEST
    assert office.ask(login=basic("ann", "guess")).status == 401
    given = told(office.ask(SCOPE, login=basic("ann", "sesame"), offline_token="true"))
    assert "refresh_token" not in given, "passwords cannot be taken back from who refreshes"


def test_the_realm_is_where_clients_reach_it(
    quick_galleries: Galleries, tmp_path: Path, people: Tenants
) -> None:
    hosted = spec(1, "ours", "ours.example", group="ours", hosts=("images.test",))
    office = opened(
        quick_galleries,
        tmp_path,
        people.logins,
        [hosted, *(spec(2, "theirs", "theirs.example", group="theirs"),)],
        external_url="https://packages.example/deep",
    )
    assert challenge(office.site.both("/v2/"))["realm"] == f"https://packages.example/deep{PATH}"
    # A client asks for tokens by the name it knows, which means this registry at this host alone.
    by_host = challenge(office.site.both(f"/v2/{IMAGE}/tags/list", {"Host": "images.test"}))
    assert by_host["realm"] == f"https://images.test/deep{PATH}"
    assert by_host["scope"] == f"repository:{IMAGE}:pull"


@pytest.mark.parametrize("host", ['a"b', "a b", "a/b", "a@b", "[::1", "a:b:c", "\xe9"])
def test_a_host_that_is_none_does_not_become_a_realm(office: Office, host: str) -> None:
    realm = challenge(office.site.get(FILE, {"Host": host}))["realm"]
    assert urlsplit(realm).hostname == "localhost"


def test_a_name_that_is_none_does_not_become_a_scope(office: Office) -> None:
    for name in ("A", "a%22b", "a%20b", "a%0D%0Ab", "a,b"):
        asked = challenge(office.site.both(f"/v2/ours/{name}/manifests/latest"))
        assert asked.keys() == {"realm", "service"}

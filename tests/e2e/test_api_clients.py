"""python-gitlab, a client of GitLab's API, manages a registry from its creation to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gitlab
import pytest
from gitlab.client import GitlabList
from gitlab.exceptions import GitlabAuthenticationError, GitlabHttpError

from tests.e2e.managed import ARTIFACTS, GROUP, Managed, managed, pom
from tests.e2e.processes import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OF_GROUP = f"/groups/{GROUP}/-/virtual_registries"
MAVEN = "/virtual_registries/packages/maven"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    with managed(tmp_path_factory.mktemp("managed")) as place:
        yield place


@pytest.fixture
def client(place: Managed) -> Iterator[gitlab.Gitlab]:
    with gitlab.Gitlab(place.url, private_token=place.owner.secret) as client:
        yield client


def _post(client: gitlab.Gitlab, path: str, **fields: Any) -> dict[str, Any]:
    made = client.http_post(path, post_data=fields)
    assert isinstance(made, dict)
    return made


def _get(client: gitlab.Gitlab, path: str) -> Any:
    return client.http_get(path)


def _pages(client: gitlab.Gitlab, path: str, **query: Any) -> GitlabList:
    found = client.http_list(path, query, iterator=True)
    assert isinstance(found, GitlabList)
    return found


def test_the_life_of_a_registry(place: Managed, client: gitlab.Gitlab) -> None:
    registries = f"{OF_GROUP}/packages/maven/registries"
    registry = _post(client, registries, name="life", description="of a registry")
    one = f"{MAVEN}/registries/{registry['id']}"

    # Two that nobody asks, and the one that can be reached, put before them.
    for name in ("first", "second"):
        url = f"https://{name}.example.test/maven2"
        made = _post(client, f"{one}/upstreams", name=name, url=url, cache_validity_hours=48)
        assert made["cache_validity_hours"] == 48
    files = next(
        each
        for each in _pages(client, f"{OF_GROUP}/packages/maven/upstreams", upstream_name="file")
        if each["name"] == "files"
    )
    link = _post(
        client,
        f"{MAVEN}/registry_upstreams",
        registry_id=registry["id"],
        upstream_id=files["id"],
    )
    assert link["position"] == 3
    assert client.http_patch(f"{MAVEN}/registry_upstreams/{link['id']}", post_data={"position": 1})
    order = [each["name"] for each in _get(client, f"{one}/upstreams")]
    assert order == ["files", "first", "second"]
    assert _get(client, f"{MAVEN}/upstreams/{files['id']}/test") == {"success": True}

    # Pulls, from the moment the change is made.
    for artifact in ARTIFACTS:
        path = f"/api/v4{MAVEN}/{registry['id']}/{pom(artifact)}"
        assert artifact.encode() in place.pulled(path)
    listed = f"{MAVEN}/upstreams/{files['id']}/cache_entries"
    # What was pulled is written down a moment after.
    until(lambda: len(_pages(client, listed)) == len(ARTIFACTS), "all entries")
    entries = _pages(client, listed, per_page=1)
    assert (entries.total, entries.total_pages, entries.per_page) == (3, 3, 1)
    found = list(entries)
    assert [each["relative_path"] for each in found] == [
        f"/{pom(artifact)}" for artifact in reversed(ARTIFACTS)
    ]
    client.http_delete(f"{MAVEN}/cache_entries/{found[0]['id']}")
    assert len(list(_pages(client, listed, search="com/example"))) == 2
    client.http_delete(f"{MAVEN}/upstreams/{files['id']}/cache")
    assert list(_pages(client, listed)) == []

    policy = f"{OF_GROUP}/cleanup/policy"
    made = _post(client, policy, enabled=True, keep_n_days_after_download=30, cadence=7)
    assert (made["status"], made["keep_n_days_after_download"]) == ("scheduled", 30)
    changed = client.http_patch(policy, post_data={"cadence": 14})
    assert isinstance(changed, dict)
    assert changed["cadence"] == 14
    client.http_delete(policy)

    # Upstreams of no other registry go with it; what is declared stays.
    client.http_delete(one)
    names = [each["name"] for each in _pages(client, f"{OF_GROUP}/packages/maven/upstreams")]
    assert names == ["files"]


def _refused(client: gitlab.Gitlab, method: str, path: str, **fields: Any) -> GitlabHttpError:
    with pytest.raises(GitlabHttpError) as caught:
        client.http_request(method, path, post_data=fields or None)
    return caught.value


def test_errors_say_what_is_wrong(client: gitlab.Gitlab) -> None:
    registries = f"{OF_GROUP}/packages/maven/registries"
    missing = _refused(client, "post", registries, description="without a name")
    assert (missing.response_code, missing.error_message) == (400, "name is missing")
    made = _post(client, registries, name="errors")
    taken = _refused(client, "post", registries, name="errors")
    assert taken.response_code == 400
    assert "has already been taken" in str(taken)
    upstreams = f"{MAVEN}/registries/{made['id']}/upstreams"
    inside = _refused(client, "post", upstreams, name="inside", url="http://192.168.1.7/maven2")
    assert inside.response_code == 400
    assert list(inside.error_message) == ["url"]
    assert _refused(client, "get", f"{MAVEN}/registries/999999999").response_code == 404
    declared = next(each for each in _get(client, registries) if each["declared"])
    kept = _refused(client, "delete", f"{MAVEN}/registries/{declared['id']}")
    assert kept.response_code == 409
    assert "configuration file" in kept.error_message
    client.http_delete(f"{MAVEN}/registries/{made['id']}")


def test_strangers_are_told_to_sign_in_and_guests_that_they_may_not(place: Managed) -> None:
    registries = f"{OF_GROUP}/packages/maven/registries"
    with (
        gitlab.Gitlab(place.url, private_token="no-such-token") as stranger,
        pytest.raises(GitlabAuthenticationError) as unknown,
    ):
        stranger.http_get(registries)
    assert (unknown.value.response_code, unknown.value.error_message) == (401, "401 Unauthorized")
    with gitlab.Gitlab(place.url, private_token=place.guest.secret) as guest:
        assert guest.http_list(registries, get_all=True)
        denied = _refused(guest, "post", registries, name="mine")
        assert (denied.response_code, denied.error_message) == (403, "403 Forbidden")

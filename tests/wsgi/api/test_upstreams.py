"""Upstreams, of any format."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsgi.api.desks import CONTAINER, MAVEN, OURS, Desk

ROOT = f"/virtual_registries/{MAVEN}"
OF_GROUP = f"/groups/{OURS}/-/virtual_registries/{MAVEN}/upstreams"

SHOWN = [
    "id",
    "group_id",
    "url",
    "name",
    "description",
    "cache_validity_hours",
    "metadata_cache_validity_hours",
    "username",
    "created_at",
    "updated_at",
]
"""What GitLab documents."""


def test_an_upstream_lives_from_its_creation_to_its_removal(desk: Desk) -> None:
    registry = desk.registry()
    made = desk.upstream(registry, username="ann", password="s3cret")
    assert list(made)[: len(SHOWN)] == SHOWN
    assert "password" not in made
    assert (made["url"], made["username"]) == ("https://central.example/repo", "ann")
    assert (made["cache_validity_hours"], made["metadata_cache_validity_hours"]) == (24, 24)
    place = made["registry_upstream"]
    assert (place["registry_id"], place["position"]) == (registry, 1)
    one = f"{ROOT}/upstreams/{made['id']}"
    shown = desk.ask("GET", one).json
    assert shown["registry_upstreams"] == [place]
    assert desk.ask("GET", f"{ROOT}/registries/{registry}").json["registry_upstreams"] == [
        {"id": place["id"], "upstream_id": made["id"], "position": 1}
    ]
    assert desk.ask("GET", f"{ROOT}/registries/{registry}/upstreams").json == [made]
    changed = desk.ask("PATCH", one, body={"name": "other", "description": "Ours"})
    assert changed.status == 200
    assert (changed.json["name"], changed.json["description"]) == ("other", "Ours")
    assert changed.json["username"] == "ann"
    assert desk.ask("DELETE", f"{one}/cache").status == 204
    assert desk.ask("DELETE", one).status == 204
    assert desk.ask("GET", one).status == 404
    told = [(event.subject, event.target, event.change) for event in desk.changes][1:]
    number = str(made["id"])
    assert told == [
        ("upstream", number, "added"),
        ("upstream", number, "changed description name"),
        ("cache", f"upstream {number}", "purged"),
        ("upstream", number, "removed"),
    ]


def test_images_have_no_metadata_validity(desk: Desk) -> None:
    registry = desk.registry(part=CONTAINER)
    made = desk.upstream(registry, part=CONTAINER, metadata_cache_validity_hours="ignored")
    assert "metadata_cache_validity_hours" not in made
    assert [name for name in made if name in SHOWN] == [
        name for name in SHOWN if name != "metadata_cache_validity_hours"
    ]


@pytest.mark.parametrize("who", ["guest", "developer"])
def test_the_user_name_is_for_those_who_may_change_it(desk: Desk, who: str) -> None:
    registry = desk.registry()
    made = desk.upstream(registry, username="ann", password="s3cret")
    for path in (f"{ROOT}/upstreams/{made['id']}", OF_GROUP):
        assert '"ann"' not in desk.ask("GET", path, who).answer.body.decode()
        for sees in ("reader", "robot", "maintainer", "owner", "administrator"):
            assert '"ann"' in desk.ask("GET", path, sees).answer.body.decode()


def test_passwords_are_never_told_nor_kept_readable(desk: Desk) -> None:
    secret = "correct-horse-battery"
    registry = desk.registry()
    bodies: list[Any] = [
        {"name": "one", "url": "https://a.example", "username": "ann", "password": secret},
        {"name": "", "url": "https://a.example", "username": "ann", "password": secret},
        {"name": "x", "url": "file:///etc", "username": "ann", "password": [secret]},
        {"name": "x", "url": "https://b.example", "username": "", "password": secret},
        {"name": "x", "url": "https://b.example", "username": "a:b", "password": f"{secret}\n"},
    ]
    for body in bodies:
        answer = desk.ask("POST", f"{ROOT}/registries/{registry}/upstreams", body=body)
        assert secret not in answer.answer.body.decode()
    number = desk.ask("GET", OF_GROUP).json[0]["id"]
    assert secret not in desk.ask("GET", f"{ROOT}/upstreams/{number}").answer.body.decode()
    assert secret not in repr(desk.told)


def test_another_url_takes_the_login_away(desk: Desk) -> None:
    made = desk.upstream(desk.registry(), username="ann", password="s3cret")
    one = f"{ROOT}/upstreams/{made['id']}"
    same = desk.ask("PATCH", one, body={"url": "HTTPS://Central.example:443/repo/"})
    assert same.json["username"] == "ann"
    moved = desk.ask("PATCH", one, body={"url": "https://elsewhere.example/repo"})
    assert moved.json["username"] is None


@pytest.mark.parametrize(
    ("login", "field"),
    [
        ({"username": "ann"}, "password"),
        ({"password": "s3cret"}, "username"),
        ({"username": "", "password": "s3cret"}, "username"),
        ({"username": None, "password": "s3cret"}, "username"),
    ],
)
def test_half_a_login_is_none(desk: Desk, login: dict[str, Any], field: str) -> None:
    body = {"name": "central", "url": "https://a.example"} | login
    answer = desk.ask("POST", f"{ROOT}/registries/{desk.registry()}/upstreams", body=body)
    assert answer.status == 400
    assert answer.json == {"message": {field: ["can't be blank"]}}


def test_central_is_not_asked_again_unless_that_is_wanted(desk: Desk) -> None:
    registry = desk.registry()
    url = "https://repo1.maven.org/maven2"
    assert desk.upstream(registry, "one", url=url)["cache_validity_hours"] == 0
    named = desk.upstream(registry, "two", url=f"{url}/sub/", cache_validity_hours=3)
    assert named["cache_validity_hours"] == 3
    other = desk.upstream(registry, "three", url=f"{url}-mirror")
    assert other["cache_validity_hours"] == 24


@pytest.mark.parametrize(("part", "most"), [(MAVEN, 20), (CONTAINER, 5)])
def test_a_registry_has_so_many_upstreams_at_most(desk: Desk, part: str, most: int) -> None:
    registry = desk.registry(part=part)
    for number in range(most):
        desk.upstream(registry, f"u{number}", part)
    body = {"name": "more", "url": "https://more.example"}
    path = f"/virtual_registries/{part}/registries/{registry}/upstreams"
    answer = desk.ask("POST", path, body=body)
    assert answer.status == 400
    text = f"must be less than or equal to {most}"
    assert answer.json == {"message": {"registry_upstreams.position": [text]}}


def test_the_same_url_and_login_is_there_once(desk: Desk) -> None:
    registry = desk.registry()
    desk.upstream(registry, "one", url="https://a.example", username="ann", password="s3cret")
    desk.upstream(registry, "two", url="https://a.example", username="ann", password="other")
    path = f"{ROOT}/registries/{registry}/upstreams"
    login = {"username": "ann", "password": "s3cret"}
    again = desk.ask("POST", path, body={"name": "three", "url": "https://A.example/"} | login)
    assert again.status == 400
    text = "already has an upstream with the same credentials"
    assert again.json == {"message": {"group": [text]}}


def test_pages_lead_through_all_upstreams_of_a_group(desk: Desk) -> None:
    first, second = desk.registry("first"), desk.registry("second")
    for number in range(25):
        desk.clock.advance(1)
        desk.upstream(first if number < 13 else second, f"u{number:02}")
    seen: list[str] = []
    page = "1"
    while page:
        told = desk.ask("GET", f"{OF_GROUP}?per_page=10&page={page}&private_token=t", "guest")
        seen += [upstream["name"] for upstream in told.json]
        assert (told["X-Per-Page"], told["X-Total"], told["X-Total-Pages"]) == ("10", "25", "3")
        assert told["X-Page"] == page
        assert "token" not in told["Link"]
        page = told["X-Next-Page"]
    assert seen == [f"u{number:02}" for number in reversed(range(25))]
    last = desk.ask("GET", f"{OF_GROUP}?per_page=10&page=3")
    base = f"<https://registry.example/api/v4{OF_GROUP}"
    assert last["Link"] == ", ".join(
        f'{base}?page={number}&per_page=10>; rel="{rel}"'
        for rel, number in (("prev", 2), ("first", 1), ("last", 3))
    )
    assert last["X-Prev-Page"] == "2"
    found = desk.ask("GET", f"{OF_GROUP}?upstream_name=U1&per_page=1000")
    assert len(found.json) == 10
    assert found["X-Per-Page"] == "100"
    assert "upstream_name=U1" in found["Link"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("page=0", "page does not have a valid value"),
        ("page=two", "page does not have a valid value"),
        ("per_page=0", "per_page does not have a valid value"),
        (
            "page=0&per_page=-1",
            "page does not have a valid value, per_page does not have a valid value",
        ),
    ],
)
def test_a_page_that_cannot_be_is_refused(desk: Desk, query: str, error: str) -> None:
    answer = desk.ask("GET", f"{OF_GROUP}?{query}")
    assert answer.status == 400
    assert answer.json["error"] == error

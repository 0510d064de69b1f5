"""Upstreams that are registries of the same server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsgi.api.desks import CONTAINER, EVERYBODY, MAVEN, THEIRS, Desk, Told

ROOT = f"/virtual_registries/{MAVEN}"


def link(
    desk: Desk,
    outer: int,
    inner: int,
    who: str = "administrator",
    part: str = MAVEN,
    **fields: Any,
) -> Told:
    body = {"name": "theirs", "local_registry_id": inner} | fields
    path = f"/virtual_registries/{part}/registries/{outer}/local/upstreams"
    return desk.ask("POST", path, who, body)


@pytest.mark.parametrize("part", [MAVEN, CONTAINER])
def test_it_is_made_shown_changed_and_deleted(desk: Desk, part: str) -> None:
    outer, inner = desk.registry("outer", part), desk.registry("inner", part)
    made = link(desk, outer, inner, part=part, description="d", on_error="continue").made()
    assert (made["upstream_type"], made["local_registry_id"]) == ("local", inner)
    assert made["registry_upstream"]["position"] == 1
    assert not {"url", "username", "password"} & made.keys()
    one = f"/virtual_registries/{part}/local/upstreams/{made['id']}"
    shown = desk.ask("GET", one)
    assert shown.json["name"] == "theirs"
    assert shown.json["registry_upstreams"] == [
        {"id": made["registry_upstream"]["id"], "registry_id": outer, "position": 1}
    ]
    changed = desk.ask("PATCH", one, body={"name": "new", "cache_validity_hours": 5})
    assert (changed.status, changed.json["name"]) == (200, "new")
    assert desk.ask("DELETE", one).status == 204
    assert desk.ask("GET", one).status == 404
    assert [event.change for event in desk.changes if event.subject == "upstream"] == [
        "added",
        "changed",
        "removed",
    ]


def test_it_is_listed_among_the_others(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    desk.upstream(outer)
    link(desk, outer, inner).made()
    in_registry = desk.ask("GET", f"{ROOT}/registries/{outer}/upstreams").json
    assert [each["upstream_type"] for each in in_registry] == ["remote", "local"]
    of_group = desk.ask("GET", f"/groups/ours/-/virtual_registries/{MAVEN}/upstreams").json
    assert {each["upstream_type"] for each in of_group} == {"remote", "local"}


def test_only_who_may_read_a_registry_links_it(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner", group=THEIRS)
    for target in (inner, 10**9):
        refused = link(desk, outer, target, "maintainer")
        assert refused.status == 403
        assert refused.json["detail"] == "the registry may not be read"
    assert link(desk, outer, inner, "administrator").status == 201


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_link_is_who_may_configure(desk: Desk, who: str) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    allowed = who in {"maintainer", "owner", "administrator", "robot"}
    assert (link(desk, outer, inner, who).status == 201) == allowed


def test_who_may_not_read_the_registry_does_not_list_it_elsewhere_either(desk: Desk) -> None:
    outer, another = desk.registry("outer"), desk.registry("another")
    inner = desk.registry("inner", group=THEIRS)
    made = link(desk, outer, inner).made()
    body = {"registry_id": another, "upstream_id": made["id"]}
    assert desk.ask("POST", f"{ROOT}/registry_upstreams", "maintainer", body).status == 403
    assert desk.ask("POST", f"{ROOT}/registry_upstreams", "administrator", body).status == 201


def test_what_cannot_be_is_refused_by_field(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    images = desk.registry("images", CONTAINER)
    assert link(desk, outer, images).status == 403
    link(desk, outer, inner).made()
    again = link(desk, outer, inner)
    assert again.status == 400
    assert again.json == {"message": {"local_registry_id": ["is an upstream of the group already"]}}
    ring = link(desk, inner, outer)
    assert ring.status == 400
    assert ring.json["message"]["local_registry_id"] == [
        "would make registries upstreams of each other: inner -> outer -> inner"
    ]
    missing = desk.ask("POST", f"{ROOT}/registries/{outer}/local/upstreams", body={"name": "x"})
    assert (missing.status, missing.json) == (400, {"error": "local_registry_id is missing"})


def test_a_folder_cannot_be_made_here(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    made = link(desk, outer, inner, folder="/etc").made()
    assert "folder" not in made
    upstream = desk.upstream(outer, folder="/etc", local_registry_id=inner)
    assert upstream["upstream_type"] == "remote"


def test_a_remote_upstream_is_no_local_one(desk: Desk) -> None:
    made = desk.upstream(desk.registry())
    for method in ("GET", "DELETE"):
        assert desk.ask(method, f"{ROOT}/local/upstreams/{made['id']}").status == 404


def test_it_gets_no_url_by_the_other_call(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    made = link(desk, outer, inner).made()
    body = {"url": "https://x.example/repo"}
    refused = desk.ask("PATCH", f"{ROOT}/upstreams/{made['id']}", body=body)
    assert (refused.status, refused.json) == (400, {"message": {"url": ["is not a field"]}})


def test_it_can_be_tested(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    made = link(desk, outer, inner).made()
    path = f"{ROOT}/upstreams/{made['id']}/test"
    assert desk.ask("GET", path).json == {"success": True}
    assert desk.ask("DELETE", f"{ROOT}/registries/{inner}").status == 204
    told = desk.ask("GET", path).json
    assert told == {"success": False, "result": "Error: its registry is not there"}
    shown = desk.ask("GET", f"{ROOT}/local/upstreams/{made['id']}").json
    assert shown["local_registry_id"] is None


def test_strangers_to_the_group_are_told_of_nothing(desk: Desk) -> None:
    outer, inner = desk.registry("outer"), desk.registry("inner")
    made = link(desk, outer, inner).made()
    assert desk.ask("GET", f"{ROOT}/local/upstreams/{made['id']}", "outsider").status == 404

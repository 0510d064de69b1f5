"""The life of registries, of any format."""

from __future__ import annotations

import pytest

from tests.wsgi.api.desks import CONTAINER, MAVEN, OURS, Desk

GROUP = f"/groups/{OURS}/-/virtual_registries"


@pytest.mark.parametrize("part", [MAVEN, CONTAINER])
def test_a_registry_lives_from_its_creation_to_its_removal(desk: Desk, part: str) -> None:
    made = desk.ask(
        "POST", f"{GROUP}/{part}/registries", body={"name": "main", "description": "For all"}
    ).made()
    number = made.pop("id")
    assert made == {
        "group_id": 1,
        "name": "main",
        "description": "For all",
        "created_at": "2023-11-14T22:13:20.000Z",
        "updated_at": "2023-11-14T22:13:20.000Z",
        "declared": False,
        "slug": "main",
        "order": "cached",
    }
    one = f"/virtual_registries/{part}/registries/{number}"
    assert desk.ask("GET", f"{GROUP}/{part}/registries").json == [{"id": number, **made}]
    assert desk.ask("GET", one).json == {"id": number, **made, "registry_upstreams": []}
    desk.clock.advance(60.5)
    changed = desk.ask("PATCH", one, body={"description": "For some"})
    assert changed.status == 200
    assert changed.json["description"] == "For some"
    assert changed.json["name"] == "main"
    assert changed.json["updated_at"] == "2023-11-14T22:14:20.500Z"
    gone = desk.ask("DELETE", one)
    assert (gone.status, gone.answer.body) == (204, b"")
    assert desk.ask("GET", one).status == 404
    assert desk.ask("GET", f"{GROUP}/{part}/registries").json == []
    assert [(event.subject, event.change, event.actor) for event in desk.changes] == [
        ("registry", "added", "owner"),
        ("registry", "changed description", "owner"),
        ("registry", "removed", "owner"),
    ]


def test_a_registry_is_not_there_by_the_path_of_another_format(desk: Desk) -> None:
    number = desk.registry(part=MAVEN)
    assert desk.ask("GET", f"/virtual_registries/{CONTAINER}/registries/{number}").status == 404
    assert desk.ask("DELETE", f"/virtual_registries/{CONTAINER}/registries/{number}").status == 404
    assert desk.ask("GET", f"/virtual_registries/{MAVEN}/registries/{number}").status == 200


@pytest.mark.parametrize(("part", "most"), [(MAVEN, 20), (CONTAINER, 5)])
def test_a_group_has_so_many_registries_at_most(desk: Desk, part: str, most: int) -> None:
    for number in range(most):
        desk.registry(f"r{number}", part)
    refused = desk.ask("POST", f"{GROUP}/{part}/registries", body={"name": "more"})
    assert refused.status == 400
    text = f"{most} registries is the maximum allowed per group."
    assert refused.json == {"message": {"group": [text]}}


def test_names_are_unique_in_a_group_and_not_beyond(desk: Desk) -> None:
    desk.registry("main")
    again = desk.ask("POST", f"{GROUP}/{MAVEN}/registries", body={"name": "main"})
    assert again.status == 400
    assert "has already been taken" in str(again.json["message"])
    elsewhere = f"/groups/theirs/-/virtual_registries/{MAVEN}/registries"
    theirs = desk.ask("POST", elsewhere, "outsider", {"name": "main"}).made()
    assert theirs["name"] == "main"
    assert theirs["slug"] != "main"


def test_a_group_is_known_by_its_number_and_by_its_name(desk: Desk) -> None:
    desk.registry()
    by_name = desk.ask("GET", f"/groups/ours/-/virtual_registries/{MAVEN}/registries")
    by_number = desk.ask("GET", f"/groups/1/-/virtual_registries/{MAVEN}/registries")
    assert by_name.json == by_number.json != []


@pytest.mark.parametrize("group", ["ours%2Fbelow", "ours/below", "nowhere%2Fbelow"])
def test_a_subgroup_has_no_registries(desk: Desk, group: str) -> None:
    path = f"/groups/{group}/-/virtual_registries/{MAVEN}/registries"
    for method, body in (("GET", None), ("POST", {"name": "main"})):
        answer = desk.ask(method, path, body=body)
        assert answer.status == 400
        assert answer.json == {"message": {"group": ["must be a top level Group"]}}


def test_what_has_changed_since_is_neither_changed_nor_removed(desk: Desk) -> None:
    one = f"/virtual_registries/{MAVEN}/registries/{desk.registry()}"
    desk.clock.advance(100)
    desk.ask("PATCH", one, body={"name": "other"})
    earlier = {"If-Unmodified-Since": "Tue, 14 Nov 2023 22:14:00 GMT"}
    assert desk.ask("DELETE", one, headers=earlier).status == 412
    assert desk.ask("PATCH", one, body={"name": "third"}, headers=earlier).status == 412
    assert desk.ask("GET", one).json["name"] == "other"
    then = {"If-Unmodified-Since": "Tue, 14 Nov 2023 22:15:00 GMT"}
    assert desk.ask("DELETE", one, headers=then).status == 204


def test_upstreams_of_no_other_registry_go_with_it(desk: Desk) -> None:
    first, second = desk.registry("first"), desk.registry("second")
    alone, shared = desk.upstream(first, "alone")["id"], desk.upstream(first, "shared")["id"]
    placed = {"registry_id": second, "upstream_id": shared}
    desk.ask("POST", f"/virtual_registries/{MAVEN}/registry_upstreams", body=placed).made()
    assert desk.ask("DELETE", f"/virtual_registries/{MAVEN}/registries/{first}").status == 204
    assert desk.ask("GET", f"/virtual_registries/{MAVEN}/upstreams/{alone}").status == 404
    left = desk.ask("GET", f"/virtual_registries/{MAVEN}/upstreams/{shared}").json
    assert [place["registry_id"] for place in left["registry_upstreams"]] == [second]

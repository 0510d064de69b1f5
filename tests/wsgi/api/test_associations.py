"""Which upstreams a registry has, in which order."""

from __future__ import annotations

import pytest

from tests.wsgi.api.desks import CONTAINER, MAVEN, Desk

PATH = f"/virtual_registries/{MAVEN}/registry_upstreams"


def _order(desk: Desk, registry: int) -> list[tuple[str, int]]:
    listed = desk.ask("GET", f"/virtual_registries/{MAVEN}/registries/{registry}/upstreams").json
    return [(each["name"], each["registry_upstream"]["position"]) for each in listed]


def test_upstreams_move_and_the_others_close_up(desk: Desk) -> None:
    registry = desk.registry()
    places = [desk.upstream(registry, name)["registry_upstream"]["id"] for name in "abcd"]
    moved = desk.ask("PATCH", f"{PATH}/{places[3]}", body={"position": 2})
    assert moved.status == 200
    assert moved.json["position"] == 2
    assert _order(desk, registry) == [("a", 1), ("d", 2), ("b", 3), ("c", 4)]
    assert desk.ask("PATCH", f"{PATH}/{places[0]}", body={"position": 20}).json["position"] == 4
    assert _order(desk, registry) == [("d", 1), ("b", 2), ("c", 3), ("a", 4)]
    assert desk.ask("DELETE", f"{PATH}/{places[1]}").status == 204
    assert _order(desk, registry) == [("d", 1), ("c", 2), ("a", 3)]
    assert [event.change for event in desk.changes if event.subject == "association"] == [
        "moved to 2",
        "moved to 4",
        "removed",
    ]


def test_an_upstream_is_put_into_another_registry_once(desk: Desk) -> None:
    first, second = desk.registry("first"), desk.registry("second")
    upstream = desk.upstream(first)["id"]
    body = {"registry_id": second, "upstream_id": upstream}
    made = desk.ask("POST", PATH, body=body).made()
    assert made == {"id": made["id"], "registry_id": second, "upstream_id": upstream, "position": 1}
    again = desk.ask("POST", PATH, body=body)
    assert again.status == 400
    assert again.json == {"message": {"upstream_id": ["has already been taken"]}}


def test_an_upstream_taken_out_of_its_last_registry_stays(desk: Desk) -> None:
    made = desk.upstream(desk.registry())
    assert desk.ask("DELETE", f"{PATH}/{made['registry_upstream']['id']}").status == 204
    left = desk.ask("GET", f"/virtual_registries/{MAVEN}/upstreams/{made['id']}")
    assert left.status == 200
    assert left.json["registry_upstreams"] == []


def test_what_is_of_another_group_or_format_is_not_there(desk: Desk) -> None:
    ours, theirs = desk.registry("ours"), desk.registry("theirs", group="theirs")
    images = desk.registry("images", CONTAINER)
    foreign = desk.upstream(theirs, "foreign")["id"]
    image = desk.upstream(images, "image", CONTAINER)["id"]
    own = desk.upstream(ours, "own")["id"]
    for registry, upstream in ((ours, foreign), (ours, image), (images, own), (ours, 10**9)):
        body = {"registry_id": registry, "upstream_id": upstream}
        for who in ("owner", "administrator"):
            assert desk.ask("POST", PATH, who, body).status == 404


@pytest.mark.parametrize("position", [0, 21, -1, 10**30])
def test_a_position_is_from_1_to_20(desk: Desk, position: int) -> None:
    place = desk.upstream(desk.registry())["registry_upstream"]["id"]
    answer = desk.ask("PATCH", f"{PATH}/{place}", body={"position": position})
    assert answer.status == 400
    assert answer.json["error"] == "position does not have a valid value"

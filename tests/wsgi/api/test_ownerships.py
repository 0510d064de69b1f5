"""Ownerships of registries in the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsgi.api.desks import CONTAINER, Desk
from tests.wsgi.api.shelves import POM, Shelf, shelf
from virtreg.errors import Barred
from virtreg.model import Ownership

OURS = {"target_coordinate": "group_id", "pattern": "org.example*"}


def _set(at: Shelf, *ownerships: dict[str, Any]) -> Any:
    path = f"{at.of_registry}/ownerships"
    return at.desk.ask("PUT", path, "maintainer", {"ownerships": list(ownerships)})


def test_ownerships_are_set_shown_and_taken_away(desk: Desk) -> None:
    at = shelf(desk)
    other = desk.upstream(at.registry, "other")["id"]
    told = _set(at, OURS | {"upstream_ids": [other, other, at.upstream]})
    shown = {
        "ownerships": [
            OURS | {"pattern_type": "wildcard", "upstream_ids": [other, at.upstream]},
        ]
    }
    assert (told.status, told.json) == (200, shown)
    assert desk.ask("GET", f"{at.of_registry}/ownerships", "guest").json == shown
    registry = desk.catalog.registry(at.registry)
    assert registry is not None
    owned = Ownership("group_id", "org.example*", ("other", "central"))
    assert registry.spec.ownerships == (owned,)
    assert _set(at).json == {"ownerships": []}
    changes = [(each.subject, each.target, each.registry) for each in desk.changes[-2:]]
    assert changes == [("ownerships", str(at.registry), "main")] * 2


def test_what_belongs_to_another_upstream_is_not_served_from_the_cache(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    other = desk.upstream(at.registry, "other")["id"]
    desk.upstreams["https://other.example/repo"].put(POM, b"<project>theirs</project>")
    assert at.pull(POM) != b"<project>theirs</project>"
    _set(at, OURS | {"upstream_ids": [other]})
    assert at.pull(POM) == b"<project>theirs</project>"
    desk.upstreams["https://other.example/repo"].remove(POM)


def test_an_owner_keeps_its_upstreams_name_when_that_changes(desk: Desk) -> None:
    at = shelf(desk)
    _set(at, OURS | {"upstream_ids": [at.upstream]})
    desk.ask("PATCH", at.of_upstream, body={"name": "renamed"})
    shown = desk.ask("GET", f"{at.of_registry}/ownerships").json["ownerships"]
    assert shown[0]["upstream_ids"] == [at.upstream]


@pytest.mark.parametrize(
    ("ownership", "error"),
    [
        (OURS, "ownerships is invalid"),
        (OURS | {"upstream_ids": []}, "ownerships is invalid"),
        (OURS | {"upstream_ids": [0]}, "ownerships is invalid"),
        (
            OURS | {"upstream_ids": [1], "target_coordinate": "image"},
            "ownerships is invalid",
        ),
    ],
)
def test_what_is_no_ownership_is_refused(desk: Desk, ownership: dict[str, Any], error: str) -> None:
    told = _set(shelf(desk), ownership)
    assert told.status == 400
    assert told.json["error"] == error
    assert "$[0]" in told.json["details"]["ownerships"]


def test_a_pattern_that_cannot_be_used_is_named_by_its_place(desk: Desk) -> None:
    at = shelf(desk)
    good = OURS | {"upstream_ids": [at.upstream]}
    told = _set(at, good, good | {"pattern": "org.**"})
    assert told.status == 400
    assert list(told.json["message"]) == ["ownerships[1].pattern"]
    assert desk.ask("GET", f"{at.of_registry}/ownerships").json == {"ownerships": []}


def test_only_upstreams_of_the_registry_own(desk: Desk) -> None:
    at = shelf(desk)
    other = desk.upstream(desk.registry("second"), "elsewhere")["id"]
    told = _set(at, OURS | {"upstream_ids": [other]})
    assert told.status == 400
    assert told.json == {
        "message": {
            "ownerships[0].upstream_ids": [f"has {other}, which is no upstream of the registry"]
        }
    }


def test_images_are_owned_too(desk: Desk) -> None:
    at = shelf(desk, CONTAINER)
    other = desk.upstream(at.registry, "other", CONTAINER)["id"]
    at.keep("ours/app/manifests/1", b"{}")
    owned = {"target_coordinate": "image", "pattern": "ours/*", "upstream_ids": [other]}
    assert _set(at, owned).status == 200
    explained = desk.ask("GET", f"{at.of_registry}/explain?path=ours/app/manifests/1").json
    assert explained["upstreams"][0]["denied"] is not None
    assert explained["upstreams"][1]["denied"] is None


def test_an_upstream_that_may_not_answer_for_what_another_owns_bars_it(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    other = desk.upstream(at.registry, "other")["id"]
    _set(at, OURS | {"upstream_ids": [other]})
    rule = {"rule_type": "deny", "target_coordinate": "group_id", "pattern": "org.*"}
    desk.ask("POST", f"{at.root}/upstreams/{other}/rules", body=rule).made()
    with pytest.raises(Barred):
        at.pull(POM)

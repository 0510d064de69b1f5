"""What is set for groups in the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsgi.api.desks import Desk
from tests.wsgi.api.shelves import shelf
from virtreg.managed import GroupSettings

PATH = "/groups/ours/-/virtual_registries/settings"
PLAIN = {"group_id": 1, "enabled": True, "storage_quota_bytes": None, "when_full": "evict"}


def test_a_group_without_settings_has_those_that_everybody_has(desk: Desk) -> None:
    assert desk.ask("GET", PATH, "guest").json == PLAIN


def test_a_quota_is_set_and_taken_away(desk: Desk) -> None:
    body = {"storage_quota_bytes": 10**9, "when_full": "stream"}
    told = desk.ask("PATCH", PATH, "administrator", body)
    assert (told.status, told.json) == (200, PLAIN | body)
    assert desk.catalog.settings("ours") == GroupSettings("ours", 10**9, "stream")
    assert desk.ask("GET", PATH, "guest").json == PLAIN | body
    told = desk.ask("PATCH", PATH, "administrator", {"storage_quota_bytes": None})
    assert told.json == PLAIN | {"when_full": "stream"}


def test_a_group_that_is_switched_off_is_gone_until_it_is_switched_on(desk: Desk) -> None:
    at = shelf(desk)
    told = desk.ask("PATCH", PATH, "administrator", enabled="false")
    assert told.json == PLAIN | {"enabled": False}
    assert desk.ask("GET", at.of_registry, "owner").status == 404
    assert desk.ask("GET", at.of_registry, "administrator").status == 404
    assert desk.ask("GET", PATH, "administrator").json == PLAIN | {"enabled": False}
    assert desk.ask("PATCH", PATH, "administrator", enabled="true").json == PLAIN
    assert desk.ask("GET", at.of_registry, "guest").status == 200


def test_only_what_changes_is_told(desk: Desk) -> None:
    desk.ask("PATCH", PATH, "administrator", {"enabled": True, "when_full": "evict"})
    assert desk.changes == []
    desk.ask("PATCH", PATH, "administrator", {"enabled": False, "when_full": "stream"})
    desk.ask("PATCH", PATH, "administrator", {"enabled": True})
    assert [(each.subject, each.target, each.change) for each in desk.changes] == [
        ("settings", "ours", "quota any bytes, when full stream"),
        ("settings", "ours", "switched off"),
        ("settings", "ours", "switched on"),
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"enabled": "perhaps"}, "enabled is invalid"),
        ({"storage_quota_bytes": -1}, "storage_quota_bytes does not have a valid value"),
        ({"storage_quota_bytes": "1 GB"}, "storage_quota_bytes does not have a valid value"),
        ({"when_full": "refuse"}, "when_full does not have a valid value"),
    ],
)
def test_a_wrong_value_is_named(desk: Desk, body: dict[str, Any], error: str) -> None:
    told = desk.ask("PATCH", PATH, "administrator", body)
    assert (told.status, told.json["error"]) == (400, error)


def test_settings_are_of_top_level_groups(desk: Desk) -> None:
    told = desk.ask("GET", PATH.replace("ours", "ours%2Fteam"), "guest")
    assert told.status == 400
    assert told.json == {"message": {"group": ["must be a top level Group"]}}


@pytest.mark.parametrize("who", ["nobody", "stranger", "outsider", "deployer", "robot"])
@pytest.mark.parametrize("body", [None, {"enabled": True}])
def test_a_group_that_is_off_looks_to_others_as_if_it_were_not_there(
    desk: Desk, who: str, body: dict[str, Any] | None
) -> None:
    method = "GET" if body is None else "PATCH"
    off = desk.ask(method, PATH.replace("ours", "off"), who, body)
    assert off == desk.ask(method, PATH.replace("ours", "nowhere"), who, body)
    assert off.status in (401, 404)

"""Cleanup policies in the API."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tests.wsgi.api.desks import Desk
from virtreg.managed import CADENCES, Reclaimed

PATH = "/groups/ours/-/virtual_registries/cleanup/policy"
NEW = {
    "group_id": 1,
    "next_run_at": "2023-11-21T22:13:20.000Z",
    "last_run_at": None,
    "last_run_deleted_size": 0,
    "last_run_deleted_entries_count": 0,
    "keep_n_days_after_download": 30,
    "status": "scheduled",
    "cadence": 7,
    "enabled": False,
    "failure_message": None,
    "last_run_detailed_metrics": {},
    "created_at": "2023-11-14T22:13:20.000Z",
    "updated_at": "2023-11-14T22:13:20.000Z",
    "keep_bytes": None,
}


def test_a_policy_is_created_with_every_field_left_out(desk: Desk) -> None:
    assert desk.ask("POST", PATH).made() == NEW
    assert desk.ask("GET", PATH).json == NEW


def test_a_policy_is_found_by_the_number_of_its_group(desk: Desk) -> None:
    desk.ask("POST", "/groups/1/-/virtual_registries/cleanup/policy").made()
    assert desk.ask("GET", PATH).status == 200


@pytest.mark.parametrize("cadence", CADENCES)
def test_the_next_run_is_a_cadence_away(desk: Desk, cadence: int) -> None:
    made = desk.ask("POST", PATH, cadence=str(cadence), enabled="true").made()
    assert (made["cadence"], made["enabled"]) == (cadence, True)
    policy = desk.catalog.policy("ours")
    assert policy is not None
    assert policy.next_run_at == desk.clock() + cadence * 86_400


def test_a_group_has_one_policy(desk: Desk) -> None:
    desk.ask("POST", PATH).made()
    told = desk.ask("POST", PATH, body={"enabled": True})
    assert (told.status, told.json) == (400, {"message": {"group": ["has already been taken"]}})
    assert desk.ask("GET", PATH).json == NEW


def test_a_change_leaves_the_other_fields_as_they_were(desk: Desk) -> None:
    desk.ask("POST", PATH).made()
    desk.clock.advance(3600)
    told = desk.ask("PATCH", PATH, body={"keep_n_days_after_download": 365, "keep_bytes": 10**12})
    assert told.status == 200
    assert told.json == NEW | {
        "keep_n_days_after_download": 365,
        "keep_bytes": 10**12,
        "updated_at": "2023-11-14T23:13:20.000Z",
    }
    assert desk.ask("PATCH", PATH, body={"keep_bytes": None}).json["keep_bytes"] is None


@pytest.mark.parametrize("change", [{"cadence": 1}, {"enabled": True}])
def test_another_cadence_and_switching_on_count_from_now(
    desk: Desk, change: dict[str, Any]
) -> None:
    desk.ask("POST", PATH).made()
    now = desk.clock.advance(3600)
    desk.ask("PATCH", PATH, body=change)
    policy = desk.catalog.policy("ours")
    assert policy is not None
    assert policy.next_run_at == now + policy.cadence * 86_400


def test_the_last_run_is_told(desk: Desk) -> None:
    desk.ask("POST", PATH).made()
    policy = desk.catalog.policy("ours")
    assert policy is not None
    desk.catalog.save_policy(
        evolve(
            policy,
            last_run_at=desk.clock(),
            last_run=Reclaimed(3, 300),
            last_run_by_format=(("maven", Reclaimed(2, 200)), ("container", Reclaimed(1, 100))),
            status="failed",
            failure_message="the disk is gone",
        )
    )
    told = desk.ask("GET", PATH).json
    assert told == NEW | {
        "last_run_at": "2023-11-14T22:13:20.000Z",
        "last_run_deleted_size": 300,
        "last_run_deleted_entries_count": 3,
        "last_run_detailed_metrics": {
            "maven": {"deleted_entries_count": 2, "deleted_size": 200},
            "container": {"deleted_entries_count": 1, "deleted_size": 100},
        },
        "status": "failed",
        "failure_message": "the disk is gone",
    }


def test_a_policy_is_deleted_once(desk: Desk) -> None:
    desk.ask("POST", PATH).made()
    assert [desk.ask("DELETE", PATH).status for _ in range(2)] == [204, 404]
    assert desk.ask("GET", PATH).status == 404
    assert desk.ask("PATCH", PATH, enabled="true").status == 404


def test_every_change_is_told(desk: Desk) -> None:
    desk.ask("POST", PATH)
    desk.ask("PATCH", PATH, enabled="true")
    desk.ask("DELETE", PATH)
    told = [(each.subject, each.target, each.change, each.actor) for each in desk.changes]
    assert told == [
        ("policy", "ours", change, "owner") for change in ("added", "changed enabled", "removed")
    ]


_INVALID: list[tuple[dict[str, Any], str]] = [
    ({"enabled": "maybe"}, "enabled is invalid"),
    ({"enabled": None}, "enabled is empty"),
    ({"keep_n_days_after_download": 0}, "keep_n_days_after_download does not have a valid value"),
    ({"keep_n_days_after_download": 366}, "keep_n_days_after_download does not have a valid value"),
    ({"keep_n_days_after_download": "x"}, "keep_n_days_after_download does not have a valid value"),
    ({"cadence": 2}, "cadence does not have a valid value"),
    ({"cadence": None}, "cadence is empty"),
    ({"keep_bytes": -1}, "keep_bytes does not have a valid value"),
    ({"keep_bytes": 2**63}, "keep_bytes does not have a valid value"),
    (
        {"cadence": 8, "keep_bytes": -1},
        "cadence does not have a valid value, keep_bytes does not have a valid value",
    ),
]


@pytest.mark.parametrize(("body", "error"), _INVALID)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_wrong_value_is_named(desk: Desk, method: str, body: dict[str, Any], error: str) -> None:
    if method == "PATCH":
        desk.ask("POST", PATH).made()
    told = desk.ask(method, PATH, body=body)
    assert (told.status, told.json["error"]) == (400, error)


def test_a_change_changes_something(desk: Desk) -> None:
    desk.ask("POST", PATH).made()
    told = desk.ask("PATCH", PATH, body={})
    assert told.status == 400
    assert told.json["error"].startswith("enabled, keep_n_days_after_download, cadence, keep_bytes")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_subgroup_has_no_policy(desk: Desk, method: str) -> None:
    desk.ask("POST", PATH).made()
    for spelling in ("ours%2Fteam", "ours/team", "1/team"):
        path = PATH.replace("ours", spelling)
        body = {"enabled": True} if method == "PATCH" else None
        told = desk.ask(method, path, body=body)
        assert (told.status, told.json["message"]) == (403, "403 Forbidden"), spelling
        assert desk.ask(method, path, "outsider", body).status == 404
        assert desk.ask(method, path, "nobody", body).status == 401

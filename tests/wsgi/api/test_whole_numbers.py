"""To JSON Schema 20.0 is an integer (2020-12, core, 4.2.3), and so it is here."""

from __future__ import annotations

import pytest

from tests.wsgi.api.desks import MAVEN, Desk


def test_a_number_without_a_fraction_is_a_whole_one(desk: Desk) -> None:
    registry = desk.registry()
    upstream = desk.upstream(registry, max_connections=4.0, cache_validity_hours=2.0)
    assert (upstream["max_connections"], upstream["cache_validity_hours"]) == (4, 2)
    owned = {
        "target_coordinate": "group_id",
        "pattern": "com.*",
        "upstream_ids": [float(upstream["id"])],
    }
    path = f"/virtual_registries/{MAVEN}/registries/{registry}/ownerships"
    assert desk.ask("PUT", path, body={"ownerships": [owned]}).status == 200


@pytest.mark.parametrize("hours", [1.5, 1e300, "2x"])
def test_any_other_number_is_none(desk: Desk, hours: float | str) -> None:
    path = f"/virtual_registries/{MAVEN}/registries/{desk.registry()}/upstreams"
    sent = {"url": "https://repo.example/maven", "name": "one", "cache_validity_hours": hours}
    answer = desk.ask("POST", path, body=sent)
    assert answer.status == 400
    assert answer.json["error"] == "cache_validity_hours does not have a valid value"

"""What the caches of a group hold, in the API."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from tests.service.hub import entry_of
from tests.wsgi.api.desks import CONTAINER, Desk
from tests.wsgi.api.shelves import BODY, IMAGE, METADATA, OTHER, POM, shelf
from virtreg.service.usage import BELIEVED

PATH = "/groups/ours/-/virtual_registries/storage"


def _storage(desk: Desk) -> dict[str, Any]:
    told = desk.ask("GET", PATH, "guest")
    assert told.status == 200
    found: dict[str, Any] = told.json
    return found


def test_an_empty_group_holds_nothing(desk: Desk) -> None:
    assert _storage(desk) == {
        "group_id": 1,
        "entries": 0,
        "bytes": 0,
        "storage_quota_bytes": None,
        "when_full": "evict",
        "as_of": "2023-11-14T22:13:20.000Z",
        "registries": [],
        "upstreams": [],
    }


def test_registries_and_upstreams_are_told_apart(desk: Desk) -> None:
    at = shelf(desk)
    other = desk.upstream(at.registry, "other")["id"]
    second = desk.registry("second")
    association = {"registry_id": second, "upstream_id": other}
    desk.ask("POST", f"{at.root}/registry_upstreams", body=association).made()
    images = shelf(desk, CONTAINER)
    at.keep(POM)
    at.keep(OTHER, b"evil")
    evolve(at, upstream=other).keep(POM)
    desk.index.put([entry_of(at.serving.spec.key, METADATA, b"merged")])
    images.keep(IMAGE, b"{}")
    found = _storage(desk)
    size = len(BODY)
    assert (found["entries"], found["bytes"]) == (5, 2 * size + 4 + 6 + 2)
    assert found["registries"] == [
        {
            "id": at.registry,
            "name": "main",
            "format": "maven",
            "entries": 4,
            "bytes": 2 * size + 4 + 6,
        },
        {"id": second, "name": "second", "format": "maven", "entries": 1, "bytes": size},
        {
            "id": images.registry,
            "name": found["registries"][2]["name"],
            "format": "container",
            "entries": 1,
            "bytes": 2,
        },
    ]
    assert found["upstreams"] == [
        {"id": at.upstream, "name": "central", "format": "maven", "entries": 2, "bytes": size + 4},
        {"id": other, "name": "other", "format": "maven", "entries": 1, "bytes": size},
        {
            "id": images.upstream,
            "name": "central",
            "format": "container",
            "entries": 1,
            "bytes": 2,
        },
    ]


def test_what_was_added_up_is_told_for_a_minute(desk: Desk) -> None:
    at = shelf(desk)
    assert _storage(desk)["entries"] == 0
    at.keep(POM)
    desk.clock.advance(BELIEVED - 1)
    found = _storage(desk)
    assert (found["entries"], found["as_of"]) == (0, "2023-11-14T22:13:20.000Z")
    desk.clock.advance(1)
    found = _storage(desk)
    assert (found["entries"], found["as_of"]) == (1, "2023-11-14T22:14:20.000Z")


def test_the_quota_is_told(desk: Desk) -> None:
    settings = {"storage_quota_bytes": 10**9, "when_full": "stream"}
    desk.ask("PATCH", "/groups/1/-/virtual_registries/settings", "administrator", settings)
    assert settings.items() <= _storage(desk).items()


def test_another_groups_caches_are_not_told(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    theirs = PATH.replace("ours", "theirs")
    assert desk.ask("GET", theirs, "outsider").json["entries"] == 0
    assert desk.ask("GET", theirs, "owner").status == 404

"""Explanations in the API."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from tests.wsgi.api.desks import CONTAINER, Desk
from tests.wsgi.api.shelves import IMAGE, OTHER, POM, Shelf, shelf
from virtreg.errors import UpstreamError, UpstreamThrottled, UpstreamUnavailable
from virtreg.wsgi.api.entry_ids import entry_id


def _explain(at: Shelf, path: str) -> dict[str, Any]:
    told = at.desk.ask("GET", f"{at.of_registry}/explain?path={path}", "guest")
    assert told.status == 200, told.answer.body
    found: dict[str, Any] = told.json
    return found


def test_a_cached_file_is_explained(desk: Desk) -> None:
    at = shelf(desk)
    entry = at.keep(POM)
    assert _explain(at, POM) == {
        "path": f"/{POM}",
        "decision": "serve",
        "explanation": "the copy of central is served from the cache",
        "upstreams": [
            {
                "upstream_id": at.upstream,
                "upstream": "central",
                "path": f"/{POM}",
                "denied": None,
                "cached": {
                    "id": entry_id(at.upstream, POM),
                    "size": entry.size,
                    "sha256": entry.sha256,
                    "created_at": "2023-11-14T22:13:20.000Z",
                    "upstream_checked_at": "2023-11-14T22:13:20.000Z",
                    "fresh_until": "2023-11-15T22:13:20.000Z",
                },
                "absent_until": None,
                "left_alone_until": None,
                "quota": None,
                "asked": False,
            }
        ],
    }


@pytest.mark.parametrize("spelling", [POM, f"/{POM}", f"{POM}.sha1"])
def test_a_checksum_is_explained_by_its_file(desk: Desk, spelling: str) -> None:
    at = shelf(desk)
    at.keep(POM)
    assert _explain(at, spelling)["path"] == f"/{POM}"


def test_what_is_good_for_ever_has_no_end(desk: Desk) -> None:
    at = shelf(desk, cache_validity_hours=0)
    at.keep(POM)
    assert _explain(at, POM)["upstreams"][0]["cached"]["fresh_until"] is None


def test_a_rule_that_decides_is_named(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(OTHER)
    rule = {"rule_type": "deny", "target_coordinate": "group_id", "pattern": "com.evil*"}
    made = desk.ask("POST", f"{at.of_upstream}/rules", body=rule).made()
    found = _explain(at, OTHER)
    assert found["decision"] == "barred"
    assert found["upstreams"][0]["denied"] == (
        f"denied by rule {made['id']}: deny group_id wildcard com.evil*"
    )
    assert found["upstreams"][0]["cached"] is not None


def test_an_absence_and_a_failure_are_told_with_their_end(desk: Desk) -> None:
    at = shelf(desk)
    desk.upstream(at.registry, "other")
    other = desk.upstreams["https://other.example/repo"]
    other.fail(UpstreamThrottled("429", upstream="other", retry_after=60))
    with suppress(UpstreamError):
        at.pull(POM)
    found = _explain(at, POM)
    assert found["decision"] == "broken"
    central, other_told = found["upstreams"]
    assert central["absent_until"] == "2023-11-14T22:18:20.000Z"
    assert (central["asked"], other_told["asked"]) == (False, False)
    assert other_told["left_alone_until"] == "2023-11-14T22:14:20.000Z"
    other.heal()


def test_an_image_is_explained_under_the_name_its_upstream_knows(desk: Desk) -> None:
    at = shelf(desk, CONTAINER, url="https://registry-1.docker.io")
    at.keep(IMAGE)
    found = _explain(at, "alpine/manifests/3")
    assert found["decision"] == "serve"
    assert found["upstreams"][0]["path"] == f"/{IMAGE}"
    assert found["upstreams"][0]["cached"]["id"] == entry_id(at.upstream, IMAGE)


def test_explaining_asks_nobody(desk: Desk) -> None:
    at = shelf(desk)
    assert _explain(at, POM)["decision"] == "ask"
    assert at.origin.requests == []
    at.origin.fail(UpstreamUnavailable("down", upstream="central"))
    for _ in range(5):
        with pytest.raises(UpstreamUnavailable):
            at.pull(POM)
    asked = len(at.origin.requests)
    assert _explain(at, POM)["upstreams"][0]["left_alone_until"] == "2023-11-14T22:13:25.000Z"
    assert len(at.origin.requests) == asked


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "path is missing"),
        ("?path=", "path is empty"),
        ("?path=../../etc/passwd", "path is invalid"),
        ("?path=a%00b", "path is invalid"),
        ("?path=/", "path is invalid"),
    ],
)
def test_a_path_that_is_none_is_refused(desk: Desk, query: str, error: str) -> None:
    at = shelf(desk)
    told = desk.ask("GET", f"{at.of_registry}/explain{query}", "guest")
    assert (told.status, told.json["error"]) == (400, error)

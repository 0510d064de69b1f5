"""How upstreams do, in the API."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.wsgi.api.desks import Desk
from tests.wsgi.api.shelves import BODY, POM, Shelf, shelf
from virtreg.errors import UpstreamError, UpstreamUnavailable
from virtreg.wsgi.ledger import Record

WELL = {
    "breaker": "closed",
    "retry_after_seconds": None,
    "quota": None,
    "last_failure": None,
    "hits": 0,
    "misses": 0,
}


def _health(at: Shelf) -> Any:
    return at.desk.ask("GET", at.of_upstream, "guest").json["health"]


def test_a_new_upstream_is_well(desk: Desk) -> None:
    assert _health(shelf(desk)) == WELL


def test_one_that_keeps_failing_is_left_alone(desk: Desk) -> None:
    at = shelf(desk)
    at.origin.fail(UpstreamUnavailable("GET /secret/path failed", upstream="central"))
    for _ in range(5):
        with suppress(UpstreamError):
            at.pull(POM)
    failure = {"kind": "upstream_unavailable", "at": "2023-11-14T22:13:20.000Z"}
    assert _health(at) == WELL | {
        "breaker": "open",
        "retry_after_seconds": 5.0,
        "last_failure": failure,
    }
    desk.clock.advance(5)
    assert _health(at) == WELL | {"breaker": "half_open", "last_failure": failure}


def test_what_is_left_of_its_quota_is_told(desk: Desk) -> None:
    at = shelf(desk)
    at.origin.put(POM, BODY, headers={"ratelimit-remaining": "7;w=3600"})
    at.pull(POM)
    assert _health(at)["quota"] == {"limit": None, "remaining": 7, "window_seconds": 3600.0}


def test_downloads_are_told_by_where_they_came_from(desk: Desk) -> None:
    at = shelf(desk)
    for origin in ("miss", "hit", "stale", "joined", "revalidated"):
        desk.ledger.add(_record(desk.clock(), origin, at.source))
    desk.ledger.add(_record(desk.clock(), "hit", "another"))
    desk.ledger.flush()
    found = _health(at)
    assert (found["hits"], found["misses"]) == (3, 2)


def test_nothing_is_known_of_one_that_no_registry_lists(desk: Desk) -> None:
    at = shelf(desk)
    place = desk.catalog.associations_of(at.upstream)[0]
    desk.ask("DELETE", f"{at.root}/registry_upstreams/{place.id}")
    assert _health(at) is None


def _record(when: float, origin: str, source: str) -> Record:
    return (when, "GET", f"/{POM}", 200, 5, origin, source, POM, "", "", None)

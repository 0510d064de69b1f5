"""Refreshing and prefetching through the API."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.wsgi.api.desks import Desk, opened
from tests.wsgi.api.shelves import BODY, METADATA, OTHER, POM, Shelf, shelf
from virtreg.errors import UpstreamUnavailable
from virtreg.service.prefetching import Prefetching
from virtreg.service.registry import PullThroughRegistry

NEW = b"<project>new</project>"


def _refresh(at: Shelf, path: str = POM) -> dict[str, Any]:
    told = at.desk.ask("POST", f"{at.of_registry}/refresh", "maintainer", {"path": path})
    assert told.status == 200, told.answer.body
    found: dict[str, Any] = told.json
    return found


def test_a_file_that_changed_is_fetched_at_once(desk: Desk) -> None:
    at = shelf(desk, cache_validity_hours=0)
    at.keep(POM)
    at.origin.put(POM, NEW)
    assert at.pull(POM) == BODY
    revision = desk.catalog.revision()
    found = _refresh(at)
    assert (found["path"], found["result"], found["size"]) == (f"/{POM}", "changed", len(NEW))
    assert at.pull(POM) == NEW
    assert desk.catalog.revision() > revision
    event = desk.changes[-1]
    assert (event.subject, event.target, event.change) == ("cache", POM, "refreshed")
    assert (event.registry, event.actor) == ("main", "maintainer")


def test_a_file_that_did_not_change_is_kept(desk: Desk) -> None:
    at = shelf(desk)
    at.origin.put(POM, BODY, etag='"same"')
    entry = at.keep(POM, etag='"same"')
    desk.clock.advance(60)
    found = _refresh(at, f"/{POM}")
    assert (found["result"], found["sha256"], found["detail"]) == ("unchanged", entry.sha256, None)
    held = at.held(POM)
    assert held is not None
    assert held.checked_at == desk.clock()


def test_bytes_that_are_the_same_under_another_tag_did_not_change(desk: Desk) -> None:
    at = shelf(desk)
    at.origin.put(POM, BODY, etag='"other"')
    at.keep(POM, etag='"one"')
    assert _refresh(at)["result"] == "unchanged"


def test_a_file_that_was_not_cached_is_found(desk: Desk) -> None:
    at = shelf(desk)
    at.origin.put(POM, BODY)
    assert _refresh(at)["result"] == "found"


def test_a_file_that_nobody_has_is_absent_until_somebody_has(desk: Desk) -> None:
    at = shelf(desk)
    assert _refresh(at)["result"] == "absent"
    at.origin.put(POM, BODY)
    assert _refresh(at)["result"] == "found"


def test_what_is_cached_is_kept_while_upstreams_are_down(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    at.origin.fail(UpstreamUnavailable("central is down", upstream="central"))
    found = _refresh(at)
    assert found["result"] == "stale"
    assert "central" in found["detail"]
    assert at.pull(POM) == BODY
    assert _refresh(at, OTHER)["result"] == "failed"


def test_what_a_rule_denies_is_not_asked_for(desk: Desk) -> None:
    at = shelf(desk)
    at.origin.put(OTHER, BODY)
    rule = {"rule_type": "deny", "target_coordinate": "group_id", "pattern": "com.evil*"}
    desk.ask("POST", f"{at.of_upstream}/rules", body=rule).made()
    assert _refresh(at, OTHER)["result"] == "denied"
    assert at.origin.requests == []


def test_a_merged_document_is_merged_anew(desk: Desk) -> None:
    at = shelf(desk)
    desk.upstream(at.registry, "other")
    other = desk.upstreams["https://other.example/repo"]
    at.origin.put(METADATA, _metadata("1"))
    other.put(METADATA, _metadata("2"))
    assert b"<version>2" in at.pull(METADATA)
    at.settle()
    other.put(METADATA, _metadata("3"))
    assert b"<version>3" not in at.pull(METADATA)
    _refresh(at, METADATA)
    assert b"<version>3" in at.pull(METADATA)


class Watched(Prefetching):
    """Remembers what it was given to fetch."""

    def __init__(self, most_waiting: int = 1000) -> None:
        super().__init__(most_waiting=most_waiting)
        self.added: list[Future[None]] = []

    def add(self, registry: PullThroughRegistry, routes: Any) -> list[Future[None]]:
        added = super().add(registry, routes)
        self.added += added
        return added


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Shelf, Watched]]:
    watched = Watched(most_waiting=4)
    with opened(tmp_path / "data", prefetching=watched) as desk:
        yield shelf(desk), watched


def test_paths_are_fetched_in_the_background(watched: tuple[Shelf, Watched]) -> None:
    at, prefetching = watched
    desk = at.desk
    at.origin.put(POM, BODY)
    at.origin.put(METADATA, _metadata("1"))
    paths = [POM, f"/{POM}", f"{POM}.sha1", METADATA]
    told = desk.ask("POST", f"{at.of_registry}/prefetch", "maintainer", {"paths": paths})
    assert (told.status, told.json) == (202, {"paths": [f"/{POM}", f"/{METADATA}"]})
    for future in prefetching.added:
        future.result(20)
    assert at.origin.count(POM) == 1
    changes = [(each.target, each.change) for each in desk.changes[-2:]]
    assert changes == [(POM, "prefetched"), (METADATA, "prefetched")]


def test_a_path_that_cannot_be_fetched_does_not_stop_the_others(
    watched: tuple[Shelf, Watched],
) -> None:
    at, prefetching = watched
    desk = at.desk
    at.origin.put(POM, BODY)
    desk.ask("POST", f"{at.of_registry}/prefetch", "maintainer", {"paths": [OTHER, POM]})
    failures = [future.exception(20) for future in prefetching.added]
    assert [failure is None for failure in failures] == [False, True]


def test_more_than_may_wait_is_refused_whole(watched: tuple[Shelf, Watched]) -> None:
    at, prefetching = watched
    desk = at.desk
    body = {"paths": [f"a/b/{number}/b.pom" for number in range(5)]}
    told = desk.ask("POST", f"{at.of_registry}/prefetch", "maintainer", body)
    assert (told.status, told["Retry-After"]) == (503, "10")
    assert prefetching.added == []
    assert at.origin.requests == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "paths is missing"),
        ({"paths": []}, "paths is"),
        ({"paths": [POM, ""]}, "paths is"),
        ({"paths": [f"a/{number}" for number in range(101)]}, "paths"),
        ({"paths": [POM, "../x"]}, "paths[1] is invalid"),
        ({"paths": POM}, "paths is"),
    ],
)
def test_wrong_paths_are_refused(desk: Desk, body: dict[str, Any], error: str) -> None:
    at = shelf(desk)
    told = desk.ask("POST", f"{at.of_registry}/prefetch", "maintainer", body)
    assert told.status == 400
    assert error in told.answer.body.decode()
    assert at.origin.requests == []


def _metadata(version: str) -> bytes:
    return (
        "<metadata><groupId>org.example</groupId><artifactId>a</artifactId><versioning>"
        f"<versions><version>{version}</version></versions></versioning></metadata>"
    ).encode()

"""Cache entries in the API."""

from __future__ import annotations

import base64

import pytest

from tests.wsgi.api.desks import CONTAINER, MAVEN, Desk
from tests.wsgi.api.shelves import BODY, IMAGE, OTHER, POM, shelf
from virtreg.wsgi.api.entry_ids import entry_id


def test_an_entry_has_the_documented_fields_and_ours(desk: Desk) -> None:
    at = shelf(desk)
    entry = at.keep(POM, content_type="text/xml", etag='"tag"')
    at.desk.index.count({(at.source, POM): (3, desk.clock() + 60)})
    assert at.entries() == [
        {
            "id": entry_id(at.upstream, POM),
            "group_id": 1,
            "upstream_id": at.upstream,
            "upstream_checked_at": "2023-11-14T22:13:20.000Z",
            "file_md5": entry.md5,
            "file_sha1": entry.sha1,
            "size": len(BODY),
            "relative_path": f"/{POM}",
            "content_type": "text/xml",
            "upstream_etag": '"tag"',
            "created_at": "2023-11-14T22:13:20.000Z",
            "updated_at": "2023-11-14T22:13:20.000Z",
            "downloads_count": 3,
            "downloaded_at": "2023-11-14T22:14:20.000Z",
            "sha256": entry.sha256,
            "fresh_until": "2023-11-15T22:13:20.000Z",
        }
    ]


def test_what_is_fresh_beyond_the_last_year_is_fresh_until_its_end(desk: Desk) -> None:
    at = shelf(desk, cache_validity_hours=2**31 - 1)
    at.keep(POM)
    (entry,) = at.entries()
    assert entry["fresh_until"] == "9999-12-31T23:59:59.999Z"
    explained = desk.ask("GET", f"{at.of_registry}/explain?path={POM}").json
    assert explained["upstreams"][0]["cached"]["fresh_until"] == "9999-12-31T23:59:59.999Z"


def test_what_is_not_known_of_an_entry_is_null(desk: Desk) -> None:
    at = shelf(desk, CONTAINER)
    at.keep(IMAGE, md5="", sha1="")
    (found,) = at.entries()
    nulls = {name for name, value in found.items() if value is None}
    assert nulls == {"file_md5", "file_sha1", "content_type", "upstream_etag", "downloaded_at"}
    assert (found["relative_path"], found["downloads_count"]) == (f"/{IMAGE}", 0)


def test_what_is_good_for_ever_has_no_end(desk: Desk) -> None:
    at = shelf(desk, cache_validity_hours=0)
    at.keep(POM)
    assert at.entries()[0]["fresh_until"] is None


def test_the_newest_come_first_and_pages_follow_each_other(desk: Desk) -> None:
    at = shelf(desk)
    paths = [f"org/example/a/{number}/a-{number}.pom" for number in range(5)]
    for path in paths:
        at.keep(path)
        desk.clock.advance(1)
    seen = []
    page = "1"
    while page:
        path = f"{at.of_upstream}/cache_entries?per_page=2&page={page}"
        told = desk.ask("GET", path, "guest")
        assert (told["X-Total"], told["X-Total-Pages"], told["X-Per-Page"]) == ("5", "3", "2")
        seen += [each["relative_path"] for each in told.json]
        page = told["X-Next-Page"]
    assert seen == [f"/{path}" for path in reversed(paths)]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("example", [POM]),
        ("EXAMPLE", [POM]),
        ("/com/evil", [OTHER]),
        (".pom", [OTHER, POM]),
        ("%25", []),
        ("_", []),
        ("nothing", []),
    ],
)
def test_a_search_finds_part_of_a_path(desk: Desk, search: str, found: list[str]) -> None:
    at = shelf(desk)
    at.keep(POM)
    desk.clock.advance(1)
    at.keep(OTHER)
    listed = [each["relative_path"] for each in at.entries(f"?search={search}")]
    assert listed == [f"/{path}" for path in found]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("page=0", "page does not have a valid value"),
        ("per_page=x", "per_page does not have a valid value"),
    ],
)
def test_a_wrong_parameter_is_named(desk: Desk, query: str, error: str) -> None:
    at = shelf(desk)
    told = desk.ask("GET", f"{at.of_upstream}/cache_entries?{query}", "guest")
    assert (told.status, told.json["error"]) == (400, error)


def test_a_search_has_its_length(desk: Desk) -> None:
    at = shelf(desk)
    told = desk.ask("GET", f"{at.of_upstream}/cache_entries?search={'a' * 1025}", "guest")
    assert told.json == {"message": {"search": ["is too long (maximum is 1024 characters)"]}}


def test_entries_of_another_upstream_are_not_listed(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    other = desk.upstream(at.registry, "other")
    told = desk.ask("GET", f"{at.root}/upstreams/{other['id']}/cache_entries", "guest")
    assert told.json == []


def test_a_deleted_entry_is_fetched_anew(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    at.origin.put(POM, b"<project>new</project>")
    assert at.pull(POM) == BODY
    revision = desk.catalog.revision()
    told = desk.ask("DELETE", f"{at.root}/cache_entries/{entry_id(at.upstream, POM)}", "maintainer")
    assert (told.status, told.answer.body) == (204, b"")
    assert at.held(POM) is None
    assert at.pull(POM) == b"<project>new</project>"
    assert desk.catalog.revision() > revision
    event = desk.changes[-1]
    assert (event.subject, event.target, event.change) == ("cache", POM, "deleted")
    assert event.actor == "maintainer"


@pytest.mark.parametrize("spelling", ["padded", "bare", "standard", "with a slash"])
def test_every_spelling_of_an_identifier_deletes(desk: Desk, spelling: str) -> None:
    at = shelf(desk)
    path = "org/example/a/1.0/a-1.0~b??.pom"
    at.keep(path)
    text = f"{at.upstream} {path}"
    asked = {
        "padded": entry_id(at.upstream, path),
        "bare": entry_id(at.upstream, path).rstrip("="),
        "standard": base64.b64encode(text.encode()).decode(),
        "with a slash": entry_id(at.upstream, f"/{path}"),
    }[spelling]
    assert desk.ask("DELETE", f"{at.root}/cache_entries/{asked}").status == 204
    assert at.held(path) is None


def test_an_entry_of_an_upstream_in_no_registry_is_deleted(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    place = desk.catalog.associations_of(at.upstream)[0]
    desk.catalog.disassociate(place.id)
    assert desk.ask("DELETE", f"{at.root}/cache_entries/{entry_id(at.upstream, POM)}").status == 204
    assert at.held(POM) is None


@pytest.mark.parametrize("asked", ["MQ", "nonsense", "MTUgZm9vL2Jhcg", "%FF", "a/b/c"])
def test_there_is_nothing_by_another_identifier(desk: Desk, asked: str) -> None:
    at = shelf(desk)
    at.keep(POM)
    path = f"{at.root}/cache_entries/{asked}"
    assert desk.ask("DELETE", path).json == {"message": "404 Not found"}
    if asked != "%FF":
        assert desk.ask("DELETE", path, "nobody").status == 401
    assert at.held(POM) is not None


def test_an_entry_is_deleted_once(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    path = f"{at.root}/cache_entries/{entry_id(at.upstream, POM)}"
    assert [desk.ask("DELETE", path).status for _ in range(2)] == [204, 404]
    assert [each.change for each in desk.changes].count("deleted") == 1


def test_by_the_path_of_another_format_there_is_no_entry(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(POM)
    asked = f"/virtual_registries/{CONTAINER}/cache_entries/{entry_id(at.upstream, POM)}"
    assert desk.ask("DELETE", asked).status == 404
    assert at.held(POM) is not None


@pytest.mark.parametrize("part", [MAVEN, CONTAINER])
def test_what_was_purged_is_listed_no_more(desk: Desk, part: str) -> None:
    at = shelf(desk, part)
    path = POM if part == MAVEN else IMAGE
    at.keep(path)
    assert desk.ask("DELETE", f"{at.of_upstream}/cache", "maintainer").status == 204
    assert at.entries() == []
    at.keep(path)
    assert desk.ask("DELETE", f"{at.of_registry}/cache", "maintainer").status == 204
    assert at.entries() == []

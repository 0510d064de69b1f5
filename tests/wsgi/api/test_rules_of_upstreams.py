"""Rules of upstreams in the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.service.hub import entry_of
from tests.wsgi.api.desks import CONTAINER, MAVEN, Desk, opened
from tests.wsgi.api.shelves import BODY, IMAGE, METADATA, OTHER, POM, Shelf, shelf
from virtreg.errors import Barred
from virtreg.model import RegistrySpec, Rule, UpstreamSpec
from virtreg.wsgi.api.hiding import Hiding

DENY: dict[str, Any] = {
    "rule_type": "deny",
    "target_coordinate": "group_id",
    "pattern": "com.evil*",
}


def _add(at: Shelf, who: str = "maintainer", query: str = "", **fields: Any) -> Any:
    told = at.desk.ask("POST", f"{at.of_upstream}/rules{query}", who, DENY | fields)
    assert told.status == (200 if "dry_run=true" in query else 201), told.answer.body
    return told.json


def test_a_rule_is_added_listed_and_deleted(desk: Desk) -> None:
    at = shelf(desk)
    made = _add(at)
    assert made == {
        "id": made["id"],
        "upstream_id": at.upstream,
        "rule_type": "deny",
        "target_coordinate": "group_id",
        "pattern": "com.evil*",
        "pattern_type": "wildcard",
    }
    assert desk.ask("GET", f"{at.of_upstream}/rules", "guest").json == [made]
    assert desk.ask("GET", at.of_upstream, "guest").json["rules_count"] == 1
    path = f"{at.root}/upstream_rules/{made['id']}"
    assert [desk.ask("DELETE", path, "maintainer").status for _ in range(2)] == [204, 404]
    assert desk.ask("GET", f"{at.of_upstream}/rules", "guest").json == []
    text = "deny group_id wildcard com.evil*"
    assert [(each.subject, each.target, each.change) for each in desk.changes[-2:]] == [
        ("rule", str(made["id"]), f"added to upstream {at.upstream}: {text}"),
        ("rule", str(made["id"]), f"removed from upstream {at.upstream}: {text}"),
    ]


def test_a_rule_hides_what_is_cached_from_the_next_pull_on(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(OTHER)
    assert at.pull(OTHER) == BODY
    made = _add(at)
    with pytest.raises(Barred):
        at.pull(OTHER)
    desk.ask("DELETE", f"{at.root}/upstream_rules/{made['id']}")
    assert at.pull(OTHER) == BODY


def test_what_a_rule_would_hide_is_told_without_adding_it(desk: Desk) -> None:
    at = shelf(desk)
    for path in (POM, OTHER, METADATA):
        at.keep(path)
    assert _add(at, query="?dry_run=true") == {"count": 1, "paths": [f"/{OTHER}"], "complete": True}
    assert desk.ask("GET", f"{at.of_upstream}/rules").json == []
    assert at.pull(OTHER) == BODY
    allowed = _add(at, query="?dry_run=true", rule_type="allow")
    assert allowed["paths"] == [f"/{POM}", f"/{METADATA}"]
    none = _add(at, query="?dry_run=true", pattern="nobody")
    assert none == {"count": 0, "paths": [], "complete": True}
    assert [each.subject for each in desk.changes].count("rule") == 0


def test_what_is_hidden_already_is_not_told_again(desk: Desk) -> None:
    at = shelf(desk)
    at.keep(OTHER)
    _add(at)
    assert _add(at, query="?dry_run=true", target_coordinate="version", pattern="2*")["count"] == 0


def test_images_and_tags_are_hidden(desk: Desk) -> None:
    at = shelf(desk, CONTAINER)
    at.keep(IMAGE)
    hidden = _add(at, query="?dry_run=true", target_coordinate="tag", pattern="3")
    assert hidden["paths"] == [f"/{IMAGE}"]
    hidden = _add(at, query="?dry_run=true", target_coordinate="image", pattern="library/*")
    assert hidden["count"] == 1


def test_of_many_the_first_hundred_are_told(desk: Desk) -> None:
    at = shelf(desk)
    source = at.source
    paths = [f"com/evil/b/{number:05}/b-{number:05}.pom" for number in range(12_000)]
    desk.index.put([entry_of(source, path, b"") for path in paths])
    hidden = _add(at, query="?dry_run=true")
    assert hidden["count"] == 10_001
    assert hidden["paths"] == [f"/{path}" for path in paths[:100]]
    found = desk.catalog.upstream(at.upstream)
    assert found is not None
    rule = Rule("deny", "version", "11999")
    assert Hiding(desk.index, found).by(rule).paths == [f"/{paths[-1]}"]
    some = Hiding(desk.index, found, most_looked_at=5000).by(rule)
    assert (some.count, some.complete) == (0, False)


_INVALID: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (MAVEN, {"rule_type": "maybe"}, {"error": "rule_type does not have a valid value"}),
    (MAVEN, {"pattern_type": "glob"}, {"error": "pattern_type does not have a valid value"}),
    (
        MAVEN,
        {"target_coordinate": "image"},
        {"error": "target_coordinate does not have a valid value"},
    ),
    (
        CONTAINER,
        {"target_coordinate": "group_id"},
        {"error": "target_coordinate does not have a valid value"},
    ),
    (MAVEN, {"pattern": ""}, {"error": "pattern is empty"}),
    (
        MAVEN,
        {"pattern": "a" * 256},
        {"message": {"pattern": ["is too long (maximum is 255 characters)"]}},
    ),
]


@pytest.mark.parametrize(("part", "fields", "error"), _INVALID)
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_wrong_value_is_named(
    desk: Desk, part: str, fields: dict[str, Any], error: dict[str, Any], query: str
) -> None:
    at = shelf(desk, part)
    told = desk.ask("POST", f"{at.of_upstream}/rules{query}", "maintainer", DENY | fields)
    assert told.status == 400
    assert error.items() <= told.json.items()


@pytest.mark.parametrize(
    "fields",
    [
        {"pattern": "com.**"},
        {"pattern": "com evil"},
        {"pattern": "(", "pattern_type": "regex"},
        {"pattern": "a)(b", "pattern_type": "regex"},
        {"pattern": "(?=x)", "pattern_type": "regex"},
        {"pattern": "((a{100}){100}){100}", "pattern_type": "regex"},
    ],
)
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_pattern_that_cannot_be_used_is_refused(
    desk: Desk, fields: dict[str, Any], query: str
) -> None:
    at = shelf(desk)
    told = desk.ask("POST", f"{at.of_upstream}/rules{query}", "maintainer", DENY | fields)
    assert told.status == 400
    assert list(told.json["message"]) == ["pattern"]


def test_everything_that_is_needed_is_asked_for_at_once(desk: Desk) -> None:
    at = shelf(desk)
    told = desk.ask("POST", f"{at.of_upstream}/rules", "maintainer", {})
    assert told.json["error"] == (
        "rule_type is missing, pattern is missing, target_coordinate is missing"
    )


def test_the_same_rule_is_not_added_twice(desk: Desk) -> None:
    at = shelf(desk)
    _add(at)
    told = desk.ask("POST", f"{at.of_upstream}/rules", "maintainer", DENY)
    assert (told.status, told.json) == (400, {"message": {"pattern": ["has already been taken"]}})
    _add(at, rule_type="allow")
    _add(at, pattern_type="regex", pattern="com.evil")


def test_an_upstream_has_twenty_rules_at_most(desk: Desk) -> None:
    at = shelf(desk)
    for number in range(20):
        _add(at, pattern=f"com.evil{number}")
    told = desk.ask("POST", f"{at.of_upstream}/rules", "maintainer", DENY)
    assert told.status == 400
    assert told.json == {"message": {"upstream": ["20 rules is the maximum allowed per upstream."]}}


def test_by_the_path_of_another_format_there_is_no_rule(desk: Desk) -> None:
    at = shelf(desk)
    made = _add(at)
    path = f"/virtual_registries/{CONTAINER}/upstream_rules/{made['id']}"
    assert desk.ask("DELETE", path, "maintainer").status == 404
    assert desk.ask("GET", f"{at.of_upstream}/rules").json == [made]


def test_declared_rules_are_listed_and_further_ones_added(tmp_path: Path) -> None:
    rule = Rule("deny", "group_id", "com.worse*")
    upstream = UpstreamSpec("central", "https://central.example/repo", rules=(rule,))
    declared = RegistrySpec(7, "declared", "maven", (upstream,), group="ours")
    with opened(tmp_path / "data", [declared]) as desk:
        (listed,) = desk.ask(
            "GET", "/virtual_registries/packages/maven/registries/7/upstreams"
        ).json
        at = Shelf(desk, 7, listed["id"], listed["url"], MAVEN)
        made = _add(at)
        rules = desk.ask("GET", f"{at.of_upstream}/rules", "guest").json
        assert [(each["id"], each["pattern"]) for each in rules] == [
            (None, "com.worse*"),
            (made["id"], "com.evil*"),
        ]

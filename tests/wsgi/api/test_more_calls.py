"""Who may ask for what beyond registries, upstreams and their order: each call, by everybody."""

from __future__ import annotations

from typing import Any, Final, Literal

import pytest
from attrs import frozen

from tests.wsgi.api.desks import CONTAINER, EVERYBODY, MAVEN, Desk, Told
from tests.wsgi.api.shelves import IMAGE, POM, shelf
from virtreg.events import Denied
from virtreg.wsgi.api.entry_ids import entry_id

Least = Literal["guest", "maintainer", "owner", "administrator"]


@frozen
class Row:
    """One call. ``M`` is below what has numbers, ``G`` below the group."""

    method: str
    path: str
    least: Least
    good: int
    body: Any = None
    of_group: bool = False
    """It is not of one format."""


_RULE: Final = {"rule_type": "deny", "target_coordinate": "TARGET", "pattern": "x*"}
_OWNERSHIP: Final = {"target_coordinate": "TARGET", "pattern": "x*", "upstream_ids": ["UPSTREAM"]}

ROWS: Final = (
    Row("GET", "M/upstreams/{upstream}/cache_entries", "guest", 200),
    Row("DELETE", "M/cache_entries/{entry}", "maintainer", 204),
    Row("GET", "M/upstreams/{upstream}/rules", "guest", 200),
    Row("POST", "M/upstreams/{upstream}/rules", "maintainer", 201, _RULE),
    Row("POST", "M/upstreams/{upstream}/rules?dry_run=true", "maintainer", 200, _RULE),
    Row("DELETE", "M/upstream_rules/{rule}", "maintainer", 204),
    Row("GET", "M/registries/{registry}/ownerships", "guest", 200),
    Row("PUT", "M/registries/{registry}/ownerships", "maintainer", 200, {"ownerships": []}),
    Row(
        "PUT",
        "M/registries/{registry}/ownerships",
        "maintainer",
        200,
        {"ownerships": [_OWNERSHIP]},
    ),
    Row("GET", "M/registries/{registry}/explain?path={path}", "guest", 200),
    Row("POST", "M/registries/{registry}/refresh", "maintainer", 200, {"path": "PATH"}),
    Row("POST", "M/registries/{registry}/prefetch", "maintainer", 202, {"paths": ["PATH"]}),
    Row("GET", "G/cleanup/policy", "owner", 200, of_group=True),
    Row("PATCH", "G/cleanup/policy", "owner", 200, {"enabled": True}, of_group=True),
    Row("POST", "G/cleanup/policy/run?dry_run=true", "owner", 200, of_group=True),
    Row("POST", "G/cleanup/policy/run", "owner", 200, of_group=True),
    Row("DELETE", "G/cleanup/policy", "owner", 204, of_group=True),
    Row("GET", "G/storage", "guest", 200, of_group=True),
    Row("GET", "G/settings", "guest", 200, of_group=True),
    Row("PATCH", "G/settings", "administrator", 200, {"when_full": "stream"}, of_group=True),
)

Case = tuple[str, Row]
_CASES: Final[list[Case]] = [
    (part, row) for row in ROWS for part in (MAVEN, CONTAINER) if part == MAVEN or not row.of_group
]


def _named(cases: list[Case]) -> Any:
    """As arguments of tests, with names."""
    return [
        pytest.param(part, row, id=f"{part.rpartition('/')[2]}-{row.method}-{row.path}")
        for part, row in cases
    ]


_MAY: Final[dict[Least, frozenset[str]]] = {
    "administrator": frozenset({"administrator"}),
    "owner": frozenset({"administrator", "owner"}),
    "maintainer": frozenset({"administrator", "owner", "maintainer", "robot"}),
    "guest": frozenset(
        {"administrator", "owner", "maintainer", "robot", "developer", "reader", "guest"}
    ),
}


@frozen
class Things:
    """What the rows are about."""

    desk: Desk
    part: str
    numbers: dict[str, Any]

    def ask(self, row: Row, who: str) -> Told:
        heads = {
            "M": f"/virtual_registries/{self.part}",
            "G": "/groups/ours/-/virtual_registries",
        }
        head, _, rest = row.path.partition("/")
        path = f"{heads[head]}/{rest}".format(**self.numbers)
        return self.desk.ask(row.method, path, who, self._filled(row.body))

    def _filled(self, body: Any) -> Any:
        match body:
            case dict():
                return {key: self._filled(value) for key, value in body.items()}
            case list():
                return [self._filled(value) for value in body]
            case "PATH" | "UPSTREAM" | "TARGET":
                return self.numbers[body.lower()]
        return body


def _things(desk: Desk, part: str) -> Things:
    at = shelf(desk, part)
    path, target = (POM, "group_id") if part == MAVEN else (IMAGE, "image")
    at.keep(path)
    rule = {"rule_type": "deny", "target_coordinate": target, "pattern": "y*"}
    rule_id = desk.ask("POST", f"{at.of_upstream}/rules", body=rule).made()["id"]
    desk.ask("POST", "/groups/ours/-/virtual_registries/cleanup/policy").made()
    numbers = {
        "registry": at.registry,
        "upstream": at.upstream,
        "entry": entry_id(at.upstream, path),
        "rule": rule_id,
        "path": path,
        "target": target,
    }
    desk.told.clear()
    return Things(desk, part, numbers)


def _expected(row: Row, who: str) -> int:
    if who in _MAY[row.least]:
        return row.good
    if who in ("nobody", "stranger", "deployer"):
        return 401
    if who == "robot" and row.least == "administrator":
        return 401
    return 404 if who == "outsider" else 403


@pytest.mark.parametrize(("part", "row"), _named(_CASES))
def test_who_may_and_who_may_not(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    others = [who for who in EVERYBODY if who not in _MAY[row.least]]
    for who in others:
        assert things.ask(row, who).status == _expected(row, who), who
    assert desk.changes == []
    denied = {each.actor for each in desk.told if isinstance(each, Denied)}
    assert denied >= {who for who in others if _expected(row, who) in (403, 404)}
    assert denied <= set(others)
    # The least who may; the others would not find what is deleted.
    least = "guest" if row.least == "guest" else row.least
    assert things.ask(row, least).status == row.good


@pytest.mark.parametrize("who", ["robot", "maintainer", "owner", "administrator"])
@pytest.mark.parametrize(("part", "row"), _named([each for each in _CASES if each[0] == MAVEN]))
def test_higher_roles_may_as_well(desk: Desk, part: str, row: Row, who: str) -> None:
    assert _things(desk, part).ask(row, who).status == _expected(row, who)


@pytest.mark.parametrize(("part", "row"), _named(_CASES))
def test_changes_are_told_with_who_made_them(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    assert things.ask(row, "administrator").status == row.good
    actors = {each.actor for each in desk.told}
    reads = row.method == "GET" or "dry_run" in row.path
    assert actors == (set() if reads else {"administrator"})


@pytest.mark.parametrize(("part", "row"), _named(_CASES))
def test_a_group_that_is_switched_off_has_nothing(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    desk.directory.switch_group("ours", enabled=False)
    for who in ("nobody", "outsider", "guest", "maintainer", "owner", "administrator"):
        expected = {"nobody": 401}.get(who, 404)
        if "settings" in row.path and who == "administrator":
            expected = 200
        elif row.method == "PATCH" and "settings" in row.path and expected == 404:
            expected = 404 if who == "outsider" else 403
        assert things.ask(row, who).status == expected, who


@pytest.mark.parametrize(("part", "row"), _named(_CASES))
def test_what_is_not_there_is_told_to_those_who_are_known(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    things.numbers.update(registry=999, upstream=999, rule=999, entry=entry_id(999, POM))
    if row.of_group:
        path = row.path.replace("G/", "/groups/nobody/-/virtual_registries/")
        asked = [desk.ask(row.method, path, who, row.body) for who in ("nobody", "administrator")]
    else:
        asked = [things.ask(row, who) for who in ("nobody", "administrator")]
    assert [each.status for each in asked] == [401, 404]
    assert asked[1].json == {"message": "404 Not found"}
    assert desk.changes == []


@pytest.mark.parametrize(("part", "row"), _named([each for each in _CASES if not each[1].of_group]))
def test_by_the_path_of_another_format_there_is_nothing(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    other = Things(desk, CONTAINER if part == MAVEN else MAVEN, dict(things.numbers))
    other.numbers["target"] = "image" if part == MAVEN else "group_id"
    assert other.ask(row, "administrator").status == 404
    assert desk.changes == []


@pytest.mark.parametrize(
    ("part", "row"),
    _named([each for each in _CASES if "{" in each[1].path and "{entry}" not in each[1].path]),
)
def test_a_number_that_is_none_is_refused_before_all_else(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    for text in ("abc", "-1", "1.5"):
        things.numbers.update(registry=text, upstream=text, rule=text)
        told = things.ask(row, "nobody")
        assert (told.status, told.json["error"]) == (400, "id is invalid"), text

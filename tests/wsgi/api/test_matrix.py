"""Each call of the table, by everybody, right and wrong."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from _pytest.mark import ParameterSet
from attrs import frozen

from tests.wsgi.api.desks import CONTAINER, EVERYBODY, MAVEN, OURS, Desk, Told
from tests.wsgi.api.matrix import EVERY_FORMAT, OF_MAVEN, Refusal, Row

_EVERY: Final = [
    (part, row)
    for part in (MAVEN, CONTAINER)
    for row in (*EVERY_FORMAT, *(OF_MAVEN if part == MAVEN else ()))
]


def _param(part: str, row: Row) -> ParameterSet:
    return pytest.param(part, row, id=f"{part.rpartition('/')[2]}-{row.method}-{row.path}")


_ROWS: Final = [_param(part, row) for part, row in _EVERY]
_ONCE: Final = [_param(part, row) for part, row in _EVERY if row.method in ("DELETE", "POST")]
"""What cannot be done again and again to the same things."""
_MAY_CHANGE: Final = frozenset({"robot", "maintainer", "owner", "administrator"})
_MAY_READ: Final = _MAY_CHANGE | {"guest", "reader", "developer"}


@frozen
class _Things:
    """Things of a group, by name, and how paths lead there."""

    part: str
    group: str
    numbers: dict[str, int]

    def path(self, path: str) -> str:
        place = f"/-/virtual_registries/{self.part}"
        heads = {
            "G": f"/groups/{self.group}{place}",
            "SUB": f"/groups/{self.group}%2Fbelow{place}",
            "M": f"/virtual_registries/{self.part}",
        }
        head, _, rest = path.partition("/")
        return f"{heads[head]}/{rest}".format(**self.numbers)

    def body(self, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return {
            key: self.numbers[value[1:-1]] if str(value).startswith("{") and value else value
            for key, value in body.items()
        }


def _things(desk: Desk, part: str, group: str = OURS) -> _Things:
    registry = desk.registry("main", part, group)
    upstream = desk.upstream(registry, part=part)
    numbers = {
        "registry": registry,
        "other": desk.registry("other", part, group),
        "upstream": upstream["id"],
        "place": upstream["registry_upstream"]["id"],
    }
    return _Things(part, group, numbers)


def _asked(desk: Desk, things: _Things, row: Row, who: str, refusal: Refusal | None = None) -> Told:
    if refusal is None:
        return desk.ask(row.method, things.path(row.path), who, things.body(row.body))
    body = things.body(row.body if refusal.body is None else refusal.body)
    return desk.ask(row.method, things.path(refusal.path or row.path), who, body)


def _expected(row: Row, who: str) -> int:
    match who:
        case "nobody" | "stranger" | "deployer":
            return 401
        case "outsider":
            return 404
    allowed = _MAY_READ if row.least == "guest" else _MAY_CHANGE
    return row.good if who in allowed else 403


@pytest.mark.parametrize(("part", "row"), _ROWS)
def test_who_may_and_who_may_not(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    before = len(desk.changes)
    # Those who may not come first: what they leave is what was there.
    for who in sorted(EVERYBODY, key=lambda who: _expected(row, who) == row.good):
        expected = _expected(row, who)
        if expected == row.good and row.method in ("DELETE", "POST"):
            continue
        assert _asked(desk, things, row, who).status == expected, who
    told = desk.changes[before:]
    assert {event.actor for event in told} <= _MAY_CHANGE
    if row.method in ("DELETE", "POST"):
        assert told == []
        assert _asked(desk, things, row, "maintainer").status == row.good
    if row.method != "GET" and not row.path.endswith(("/test", "/login")):
        assert desk.changes[before:] != []


@pytest.mark.parametrize("who", sorted(_MAY_CHANGE - {"maintainer"}))
@pytest.mark.parametrize(("part", "row"), _ONCE)
def test_whoever_may_change_may_add_and_remove(desk: Desk, part: str, row: Row, who: str) -> None:
    assert _asked(desk, _things(desk, part), row, who).status == row.good


@pytest.mark.parametrize(("part", "row"), _ROWS)
def test_what_is_wrong_is_named_to_everybody_and_nothing_changes(
    desk: Desk, part: str, row: Row
) -> None:
    things = _things(desk, part)
    before = len(desk.changes)
    for refusal in row.refusals:
        told = _asked(desk, things, row, "owner", refusal)
        assert told.status == 400, refusal
        assert told.json.keys() <= {"error", "details", "message"}
        text = told.json.get("error") or json.dumps(told.json["message"])
        assert refusal.field in text, refusal
        assert refusal.text in text, refusal
    assert desk.changes[before:] == []


@pytest.mark.parametrize(("part", "row"), _ROWS)
def test_parameters_come_before_credentials(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    for refusal in row.refusals:
        if refusal.text in ("is missing", "is invalid") and refusal.field in ("id", "name"):
            told = _asked(desk, things, row, "nobody", refusal)
            assert told.status == 400, refusal


@pytest.mark.parametrize(("part", "row"), _ROWS)
def test_nothing_is_there_of_a_group_that_is_switched_off(desk: Desk, part: str, row: Row) -> None:
    things = _things(desk, part)
    numbers = dict.fromkeys(("registry", "other", "upstream", "place"), 10**6)
    nothing = _Things(part, "nowhere", numbers)
    desk.directory.switch_group(OURS, enabled=False)
    for who in EVERYBODY:
        told = _asked(desk, things, row, who)
        assert told == _asked(desk, nothing, row, who), who
        assert told.status == (401 if who in ("nobody", "stranger", "deployer") else 404), who


@pytest.mark.parametrize(("part", "row"), _ROWS)
def test_what_is_not_there_is_told_only_to_those_who_are_known(
    desk: Desk, part: str, row: Row
) -> None:
    numbers = dict.fromkeys(("registry", "other", "upstream", "place"), 10**6)
    things = _Things(part, "nowhere", numbers)
    for who in ("nobody", "stranger"):
        assert _asked(desk, things, row, who).status == 401
    for who in ("guest", "owner", "outsider", "administrator"):
        told = _asked(desk, things, row, who)
        assert (told.status, told.json) == (404, {"message": "404 Not found"})


@pytest.mark.parametrize(("part", "row"), _ROWS)
def test_what_others_have_looks_like_nothing(desk: Desk, part: str, row: Row) -> None:
    theirs = _things(desk, part, "theirs")
    numbers = dict.fromkeys(("registry", "other", "upstream", "place"), 10**6)
    nothing = _Things(part, "nowhere", numbers)
    for who in ("nobody", "stranger", "deployer", "guest", "owner"):
        assert _asked(desk, theirs, row, who) == _asked(desk, nothing, row, who)

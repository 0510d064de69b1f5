"""Comparing a login with the one that is kept of an upstream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.wsgi.api.desks import CONTAINER, MAVEN, OURS, Desk, opened
from virtreg.model import RegistrySpec, Secret, UpstreamSpec

LOGIN = {"username": "ann", "password": "pass\u00e9"}


@pytest.mark.parametrize("part", [MAVEN, CONTAINER])
@pytest.mark.parametrize(
    ("sent", "same"),
    [
        (LOGIN, True),
        (LOGIN | {"password": "other"}, False),
        (LOGIN | {"password": "pass\u00e9\u00e9"}, False),
        (LOGIN | {"username": "bert"}, False),
        ({"username": "ann"}, False),
        ({"password": "pass\u00e9"}, False),
        ({"username": None, "password": None}, False),
        ({}, False),
    ],
)
def test_a_login_is_the_same_in_both_parts_or_it_is_another(
    desk: Desk, part: str, sent: dict[str, Any], same: bool
) -> None:
    upstream = desk.upstream(desk.registry("one", part=part), part=part, **LOGIN)
    path = f"/virtual_registries/{part}/upstreams/{upstream['id']}/login"
    told = desk.ask("POST", path, "maintainer", sent)
    assert (told.status, told.json) == (200, {"same": same})


def test_no_login_is_the_same_as_none(desk: Desk) -> None:
    upstream = desk.upstream(desk.registry("one"))
    path = f"/virtual_registries/{MAVEN}/upstreams/{upstream['id']}/login"
    assert desk.ask("POST", path, "maintainer", {}).json == {"same": True}
    assert desk.ask("POST", path, "maintainer", LOGIN).json == {"same": False}


def test_a_password_cannot_be_found_by_trying(desk: Desk) -> None:
    upstream = desk.upstream(desk.registry("one"), **LOGIN)
    path = f"/virtual_registries/{MAVEN}/upstreams/{upstream['id']}/login"
    for number in range(30):
        guess = LOGIN | {"password": f"guess{number}"}
        assert desk.ask("POST", path, "maintainer", guess).json == {"same": False}
    # What is right is not told apart any more, by anybody.
    for guess in (LOGIN, LOGIN | {"password": "another"}):
        refused = desk.ask("POST", path, "owner", guess)
        assert refused.status == 429
        assert int(refused["Retry-After"]) <= 120
    assert desk.ask("POST", path, "owner", {"username": "bert"}).json == {"same": False}
    desk.clock.advance(3600)
    assert desk.ask("POST", path, "owner", LOGIN).json == {"same": True}


def test_nor_by_making_another_upstream_the_same(desk: Desk) -> None:
    registry = desk.registry("one")
    first = desk.upstream(registry, **LOGIN)
    second = desk.upstream(registry, url="https://other.example")
    path = f"/virtual_registries/{MAVEN}/upstreams/{second['id']}"
    tried = [
        desk.ask(
            "PATCH",
            path,
            "maintainer",
            {"url": first["url"], "username": "ann", "password": f"guess{number}"},
        ).status
        for number in range(31)
    ]
    assert tried == 30 * [200] + [429]
    right = {"url": first["url"], **LOGIN}
    assert desk.ask("PATCH", path, "maintainer", right).status == 429
    # What tells nothing of it goes on.
    assert desk.ask("PATCH", path, "maintainer", {"name": "new"}).status == 200


def test_a_wrong_login_is_told(desk: Desk) -> None:
    upstream = desk.upstream(desk.registry("one"), **LOGIN)
    path = f"/virtual_registries/{MAVEN}/upstreams/{upstream['id']}/login"
    before = len(desk.changes)
    desk.ask("POST", path, "maintainer", LOGIN)
    assert desk.changes[before:] == []
    desk.ask("POST", path, "maintainer", LOGIN | {"password": "guess"})
    (event,) = desk.changes[before:]
    assert (event.actor, event.subject, event.target) == (
        "maintainer",
        "upstream",
        str(upstream["id"]),
    )
    assert "guess" not in repr(event)


def test_the_login_of_a_declared_upstream_is_the_files(tmp_path: Path) -> None:
    central = UpstreamSpec("central", "https://c.example", username="ann", password=Secret("pw"))
    declared = RegistrySpec(7, "declared", "maven", (central,), group=OURS)
    with opened(tmp_path / "data", [declared]) as desk:
        root = f"/virtual_registries/{MAVEN}"
        (upstream,) = desk.ask("GET", f"{root}/registries/7/upstreams").json
        path = f"{root}/upstreams/{upstream['id']}/login"
        for password in ("pw", "wrong"):
            told = desk.ask("POST", path, "owner", {"username": "ann", "password": password})
            assert told.status == 409

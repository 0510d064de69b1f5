"""Comparing a login with the one that is kept of an upstream."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsgi.api.desks import CONTAINER, MAVEN, Desk

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

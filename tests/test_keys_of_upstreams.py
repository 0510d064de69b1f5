"""What the cache of an upstream is kept under."""

from __future__ import annotations

from typing import Any

import pytest

from virtreg.model import Secret, UpstreamSpec

SECRET = Secret("one")
REACHES: list[dict[str, Any]] = [
    {},
    {"username": "joe", "password": SECRET},
    {"username": "ann", "password": SECRET},
    {"bearer": SECRET},
    {"headers": (("Private-Token", SECRET),)},
    {"headers": (("Deploy-Token", SECRET),)},
    {"credential_command": ("helper", "get")},
    {"credential_command": ("helper", "get"), "username": "joe"},
]


def key(**settings: Any) -> str:
    return UpstreamSpec("hub", "https://registry.example.com", **settings).key


def test_what_one_reach_brought_is_not_for_another() -> None:
    """Without its credentials an upstream serves nothing that it gave for them."""
    assert len({key(**reach) for reach in REACHES}) == len(REACHES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"username": "joe", "password": SECRET}, {"username": "joe", "password": Secret("two")}),
        ({"bearer": SECRET}, {"bearer": Secret("two")}),
        ({"headers": (("A", SECRET),)}, {"headers": (("a", Secret("two")),)}),
        ({"credential_command": ("old",)}, {"credential_command": ("new", "get")}),
    ],
)
def test_a_renewed_secret_keeps_the_cache(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert key(**before) == key(**after)

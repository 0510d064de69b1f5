"""Every call of this half of the API: who may, and what is refused. A table for tests and readers.

``{registry}``, ``{upstream}``, ``{place}`` and ``{other}`` are things of the group ours;
``{other}`` a registry that the upstream is not in.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from attrs import frozen

Least = Literal["guest", "maintainer"]

IS_MISSING: Final = "is missing"
IS_EMPTY: Final = "is empty"
IS_INVALID: Final = "is invalid"
NO_VALUE: Final = "does not have a valid value"


@frozen
class Refusal:
    """What is answered 400, and which field its text names."""

    text: str
    field: str
    body: Any = None
    path: str = ""
    """In place of the call's own."""


@frozen
class Row:
    """One call."""

    method: str
    path: str
    """G: below a group; M: below what has numbers of its own."""
    least: Least
    """The least role that may."""
    good: int
    """The status when all is well."""
    body: Any = None
    refusals: tuple[Refusal, ...] = ()


def _named(*fields: str, needed: bool = True, nullable: bool = True) -> tuple[Refusal, ...]:
    """What is wrong with a name and a description."""
    base = {"name": "x", "url": "https://x.example"} if "url" in fields else {"name": "x"}
    found = [
        Refusal(IS_EMPTY, "name", base | {"name": ""}),
        Refusal(IS_EMPTY, "name", base | {"name": " \t"}),
        Refusal(IS_EMPTY, "name", base | {"name": None}),
        Refusal(IS_INVALID, "name", base | {"name": 5}),
        Refusal(IS_INVALID, "name", base | {"name": "a\nb"}),
        Refusal(IS_INVALID, "name", base | {"name": ["a"]}),
        Refusal("is too long (maximum is 255 characters)", "name", base | {"name": 256 * "a"}),
        Refusal(
            "is too long (maximum is 1024 characters)",
            "description",
            base | {"description": 1025 * "a"},
        ),
        Refusal(IS_INVALID, "description", base | {"description": {}}),
    ]
    if needed:
        found.append(Refusal(IS_MISSING, "name", {key: base[key] for key in base if key != "name"}))
    else:
        found.append(Refusal("at least one parameter must be provided", "name", {}))
    if not nullable:
        found.append(Refusal(IS_EMPTY, "description", base | {"description": ""}))
    return tuple(found)


def _upstream(*, needed: bool) -> tuple[Refusal, ...]:
    base = {"name": "x", "url": "https://x.example"}
    # A change of the URL alone takes the login away, whatever half of one is sent.
    half = base if needed else {"name": "x"}
    found = [
        Refusal(IS_EMPTY, "url", base | {"url": ""}),
        Refusal(IS_INVALID, "url", base | {"url": 5}),
        Refusal(IS_INVALID, "url", base | {"url": "ftp://x.example"}),
        Refusal(IS_INVALID, "url", base | {"url": "https://ann:pw@x.example"}),
        Refusal("is not allowed", "url", base | {"url": "http://localhost:8080"}),
        Refusal("is not allowed", "url", base | {"url": "http://169.254.169.254"}),
        Refusal("is too long", "url", base | {"url": "https://x.example/" + 255 * "a"}),
        Refusal("is too long", "username", base | {"username": 511 * "a", "password": "b"}),
        Refusal("is too long", "password", base | {"username": "a", "password": 511 * "b"}),
        Refusal(IS_INVALID, "username", base | {"username": "a:b", "password": "b"}),
        Refusal(IS_INVALID, "password", base | {"username": "a", "password": "b\r\nc"}),
        Refusal("can't be blank", "password", half | {"username": "a"}),
        Refusal("can't be blank", "username", half | {"password": "b"}),
        Refusal("can't be blank", "username", half | {"username": "", "password": "b"}),
        *(
            Refusal(NO_VALUE, "cache_validity_hours", base | {"cache_validity_hours": hours})
            for hours in (-1, 1.5, "24", 2**31)
        ),
        Refusal(NO_VALUE, "on_error", base | {"on_error": "panic"}),
        Refusal(NO_VALUE, "max_connections", base | {"max_connections": 0}),
        Refusal(NO_VALUE, "read_timeout", base | {"read_timeout": 0}),
    ]
    if needed:
        found.append(Refusal(IS_MISSING, "url", {"name": "x"}))
    return (*_named("url", needed=needed), *found)


_BAD_NUMBERS = ("abc", "1.5", "-1", "%20", "1" + 15 * "0")


def _bad_id(path: str) -> tuple[Refusal, ...]:
    return tuple(Refusal(IS_INVALID, "id", path=path.replace("ID", text)) for text in _BAD_NUMBERS)


_SUBGROUP = "must be a top level Group"

EVERY_FORMAT: Final = (
    Row(
        "GET",
        "G/registries",
        "guest",
        200,
        refusals=(Refusal(_SUBGROUP, "group", path="SUB/registries"),),
    ),
    Row(
        "POST",
        "G/registries",
        "maintainer",
        201,
        {"name": "new"},
        (*_named(), Refusal(_SUBGROUP, "group", {"name": "x"}, "SUB/registries")),
    ),
    Row("GET", "M/registries/{registry}", "guest", 200, refusals=_bad_id("M/registries/ID")),
    Row(
        "PATCH",
        "M/registries/{registry}",
        "maintainer",
        200,
        {"name": "new"},
        (*_named(needed=False, nullable=False), *_bad_id("M/registries/ID")),
    ),
    Row(
        "DELETE", "M/registries/{registry}", "maintainer", 204, refusals=_bad_id("M/registries/ID")
    ),
    Row(
        "DELETE",
        "M/registries/{registry}/cache",
        "maintainer",
        204,
        refusals=_bad_id("M/registries/ID/cache"),
    ),
    Row(
        "GET",
        "G/upstreams?page=1&per_page=5&upstream_name=a",
        "guest",
        200,
        refusals=(
            Refusal(NO_VALUE, "page", path="G/upstreams?page=0"),
            Refusal(NO_VALUE, "per_page", path="G/upstreams?per_page=none"),
            Refusal("is too long", "upstream_name", path=f"G/upstreams?upstream_name={256 * 'a'}"),
            Refusal(_SUBGROUP, "group", path="SUB/upstreams"),
        ),
    ),
    Row(
        "POST",
        "G/upstreams/test",
        "maintainer",
        200,
        {"url": "https://x.example"},
        (
            Refusal(IS_MISSING, "url", {}),
            Refusal(IS_EMPTY, "url", {"url": None}),
            Refusal("is not allowed", "url", {"url": "http://127.0.0.1"}),
            Refusal("can't be blank", "password", {"url": "https://x.example", "username": "a"}),
            Refusal(_SUBGROUP, "group", {"url": "https://x.example"}, "SUB/upstreams/test"),
        ),
    ),
    Row(
        "GET",
        "M/registries/{registry}/upstreams",
        "guest",
        200,
        refusals=_bad_id("M/registries/ID/upstreams"),
    ),
    Row(
        "POST",
        "M/registries/{registry}/upstreams",
        "maintainer",
        201,
        {"name": "new", "url": "https://new.example"},
        (*_upstream(needed=True), *_bad_id("M/registries/ID/upstreams")),
    ),
    Row("GET", "M/upstreams/{upstream}", "guest", 200, refusals=_bad_id("M/upstreams/ID")),
    Row(
        "PATCH",
        "M/upstreams/{upstream}",
        "maintainer",
        200,
        {"name": "new"},
        (*_upstream(needed=False), *_bad_id("M/upstreams/ID")),
    ),
    Row("DELETE", "M/upstreams/{upstream}", "maintainer", 204, refusals=_bad_id("M/upstreams/ID")),
    Row(
        "DELETE",
        "M/upstreams/{upstream}/cache",
        "maintainer",
        204,
        refusals=_bad_id("M/upstreams/ID/cache"),
    ),
    Row(
        "GET", "M/upstreams/{upstream}/test", "guest", 200, refusals=_bad_id("M/upstreams/ID/test")
    ),
    Row(
        "POST",
        "M/upstreams/{upstream}/test",
        "maintainer",
        200,
        {},
        (
            Refusal("is not allowed", "url", {"url": "http://10.0.0.1"}),
            Refusal("can't be blank", "password", {"username": "other"}),
            *_bad_id("M/upstreams/ID/test"),
        ),
    ),
    Row(
        "POST",
        "M/upstreams/{upstream}/login",
        "maintainer",
        200,
        {"username": "ann", "password": "secret"},
        (
            Refusal(IS_INVALID, "username", {"username": "a:b"}),
            Refusal("is too long", "password", {"password": 511 * "b"}),
            *_bad_id("M/upstreams/ID/login"),
        ),
    ),
    Row(
        "POST",
        "M/registry_upstreams",
        "maintainer",
        201,
        {"registry_id": "{other}", "upstream_id": "{upstream}"},
        (
            Refusal(IS_MISSING, "registry_id", {"upstream_id": 1}),
            Refusal(IS_MISSING, "upstream_id", {"registry_id": 1}),
            Refusal(NO_VALUE, "upstream_id", {"registry_id": 1, "upstream_id": "one"}),
            Refusal(NO_VALUE, "registry_id", {"registry_id": 0, "upstream_id": 1}),
        ),
    ),
    Row(
        "PATCH",
        "M/registry_upstreams/{place}",
        "maintainer",
        200,
        {"position": 1},
        (
            Refusal(IS_MISSING, "position", {}),
            *(Refusal(NO_VALUE, "position", {"position": position}) for position in (0, 21, 1.5)),
            Refusal(IS_EMPTY, "position", {"position": None}),
            *_bad_id("M/registry_upstreams/ID"),
        ),
    ),
    Row(
        "DELETE",
        "M/registry_upstreams/{place}",
        "maintainer",
        204,
        refusals=_bad_id("M/registry_upstreams/ID"),
    ),
)
"""For Maven and for images alike."""

_BASE = {"name": "x", "url": "https://x.example"}

OF_MAVEN: Final = tuple(
    Row(
        method,
        path,
        "maintainer",
        good,
        _BASE | {"metadata_cache_validity_hours": 1},
        tuple(
            Refusal(
                NO_VALUE,
                "metadata_cache_validity_hours",
                _BASE | {"metadata_cache_validity_hours": hours},
            )
            for hours in (0, -1, "one")
        ),
    )
    for method, path, good in (
        ("POST", "M/registries/{registry}/upstreams", 201),
        ("PATCH", "M/upstreams/{upstream}", 200),
    )
)
"""Of Maven alone."""

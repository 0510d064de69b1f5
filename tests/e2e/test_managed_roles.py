"""Who may manage what, with real tokens over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from attrs import frozen

from tests.e2e.management import GROUP, MAVEN, Caller, House, Registry, house
from virtreg.testing.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FILE: Final = "com/acme/app/1.0/app-1.0.jar"

CALLS: Final[Mapping[str, tuple[str, str, Any]]] = {
    "pull": ("GET", f"/maven/roles/{FILE}", None),
    "read": ("GET", f"/api/v4/virtual_registries/{MAVEN}/registries/{{id}}", None),
    "list": ("GET", f"/api/v4/groups/{GROUP}/-/virtual_registries/{MAVEN}/registries", None),
    "configure": (
        "PATCH",
        f"/api/v4/virtual_registries/{MAVEN}/registries/{{id}}",
        {"description": "changed"},
    ),
    "create": (
        "POST",
        f"/api/v4/virtual_registries/{MAVEN}/registries/{{id}}/upstreams",
        {"name": "", "url": "http://127.0.0.1:9/x"},
    ),
    "purge": ("DELETE", f"/api/v4/virtual_registries/{MAVEN}/registries/{{id}}/cache", None),
    "clean_up": ("GET", f"/api/v4/groups/{GROUP}/-/virtual_registries/cleanup/policy", None),
    "switch": (
        "PATCH",
        f"/api/v4/groups/{GROUP}/-/virtual_registries/settings",
        {"when_full": "evict"},
    ),
}
"""``create`` is wrong as well: who may not hears 400 all the same, since that comes first."""

_READS = {"pull": 200, "read": 200, "list": 200}
_CONFIGURES = {**_READS, "configure": 200, "create": 400, "purge": 204}
_NOTHING = {"configure": 403, "create": 400, "purge": 403, "clean_up": 403, "switch": 403}
_UNKNOWN = dict.fromkeys(CALLS, 401) | {"create": 400}
_HIDDEN = dict.fromkeys(CALLS, 404) | {"create": 400}

EXPECTED: Final[Mapping[str, Mapping[str, int]]] = {
    "nobody": _UNKNOWN,
    "stranger": _UNKNOWN,
    "outsider": _HIDDEN,
    "deployer": {**_UNKNOWN, "pull": 200},
    "puller": {**_NOTHING, "pull": 200, "read": 403, "list": 403},
    "guest": {**_NOTHING, **_READS},
    "reporter": {**_NOTHING, **_READS},
    "developer": {**_NOTHING, **_READS},
    "reader": {**_NOTHING, **_READS, "pull": 403},
    "maintainer": {**_NOTHING, **_CONFIGURES},
    "robot": {**_NOTHING, **_CONFIGURES, "switch": 401},
    "owner": {**_NOTHING, **_CONFIGURES, "clean_up": 200},
    "administrator": {**_CONFIGURES, "clean_up": 200, "switch": 200},
}
"""``puller`` is a maintainer whose token may only pull, ``reader`` one whose token may only read
by the API; ``robot`` has a token of the group."""


@frozen
class Floor:
    home: House
    registry: Registry
    callers: Mapping[str, Caller]


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with (
        Origin({FILE: b"PK file"}) as origin,
        house(tmp_path_factory.mktemp("roles") / "virtreg") as home,
    ):
        accounts = home.accounts
        for role in ("guest", "reporter", "developer", "maintainer", "owner"):
            accounts.add_member(GROUP, role, role)
        accounts.add_group("others")
        accounts.add_member("others", "outsider", "owner")

        def personal(user: str, scopes: str = "api") -> Caller:
            return home.caller("--user", user, "--scopes", scopes)

        callers = {
            name: personal(name)
            for name in ("guest", "reporter", "developer", "maintainer", "owner", "outsider")
        }
        callers["puller"] = personal("maintainer", "read_virtual_registry")
        callers["reader"] = personal("maintainer", "read_api")
        callers["deployer"] = home.caller("--group", GROUP, kind="deploy")
        group_wide = ("--group", GROUP, "--role", "maintainer", "--scopes", "api")
        callers["robot"] = home.caller(*group_wide, kind="group")
        callers["nobody"] = Caller(home.server.port)
        callers["stranger"] = Caller(home.server.port, {"Private-Token": f"vrp_{43 * 'a'}"})
        callers["administrator"] = home.admin
        registry = home.admin.make(MAVEN, "roles")
        registry.upstream("near", origin.url)
        assert home.admin.group("POST", "cleanup/policy", {"enabled": False}).status == 201
        yield Floor(home, registry, callers)


@pytest.mark.parametrize("who", EXPECTED)
def test_each_may_what_the_role_and_the_token_allow(who: str, floor: Floor) -> None:
    found = {}
    for call, (method, path, sent) in CALLS.items():
        answer = floor.callers[who].ask(method, path.format(id=floor.registry.id), sent)
        found[call] = answer.status
        if answer.status == 401 and call != "pull":
            assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert found == EXPECTED[who]

"""What the registries of several groups share is for those to change who may in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.wsgi.api.desks import MAVEN, OURS, THEIRS, Desk, opened
from virtreg.core.identity import Role
from virtreg.model import Entry, RegistrySpec, UpstreamSpec
from virtreg.wsgi.api.entry_ids import entry_id

ROOT = f"/virtual_registries/{MAVEN}"
FILE = "a/b/1/b-1.pom"


@frozen
class Shared:
    desk: Desk
    upstream: int

    def changes(self) -> list[tuple[str, str, Any, int]]:
        """Every change of what is shared, with the status when all is well."""
        deny = {"rule_type": "deny", "pattern": "*", "target_coordinate": "group_id"}
        return [
            ("POST", f"{ROOT}/upstreams/{self.upstream}/rules", deny, 201),
            ("DELETE", f"{ROOT}/upstream_rules/1", None, 204),
            ("DELETE", f"{ROOT}/cache_entries/{entry_id(self.upstream, FILE)}", None, 204),
            ("DELETE", f"{ROOT}/upstreams/{self.upstream}/cache", None, 204),
        ]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    spec = UpstreamSpec("central", "https://central.example", shared=True)
    declared = [
        RegistrySpec(1, "ours", "maven", (spec,), group=OURS),
        RegistrySpec(2, "theirs", "maven", (spec,), group=THEIRS),
    ]
    with opened(tmp_path / "data", declared) as desk:
        (listed,) = desk.ask("GET", f"{ROOT}/registries/1/upstreams").json
        desk.index.put([Entry(spec.key, FILE, 64 * "0", 1, "", "", "", None, None, None, 1.0, 1.0)])
        yield Shared(desk, listed["id"])


def test_a_group_alone_changes_nothing_of_it(shared: Shared) -> None:
    for method, path, body, _ in shared.changes():
        for who, status in (("owner", 403), ("outsider", 404), ("nobody", 401)):
            if not path.endswith("/upstream_rules/1"):
                assert shared.desk.ask(method, path, who, body).status == status, (path, who)
    assert shared.desk.changes == []
    # What it is may be read, as the file says that it is shared.
    assert shared.desk.ask("GET", f"{ROOT}/upstreams/{shared.upstream}", "guest").status == 200


@pytest.mark.parametrize("who", ["administrator", "owner"])
def test_whoever_may_in_all_groups_does(shared: Shared, who: str) -> None:
    shared.desk.directory.set_role(THEIRS, "owner", Role.MAINTAINER)
    for method, path, body, good in shared.changes():
        assert shared.desk.ask(method, path, who, body).status == good, path


def test_a_rule_of_all_groups_is_not_for_one_to_take_away(shared: Shared) -> None:
    _, path, body, _ = shared.changes()[0]
    rule = shared.desk.ask("POST", path, "administrator", body).made()["id"]
    assert shared.desk.ask("DELETE", f"{ROOT}/upstream_rules/{rule}", "owner").status == 403

"""The example that copies registries between two servers with GitLab's API."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gitlab
import pytest

from tests.docs.running import ROOT
from tests.e2e.managed import GROUP, Managed, managed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PART = "packages/maven"
OF_GROUP = f"/groups/{GROUP}/-/virtual_registries/{PART}"
EXAMPLE = ROOT / "examples" / "migrate_from_gitlab.py"


def _post(client: gitlab.Gitlab, path: str, **fields: Any) -> dict[str, Any]:
    made = client.http_post(path, post_data=fields)
    assert isinstance(made, dict)
    return made


def _registries(client: gitlab.Gitlab) -> dict[str, list[tuple[str, str, str | None]]]:
    """Names, URLs and descriptions of upstreams in order, by the names of stored registries."""
    found = {}
    for registry in client.http_list(f"{OF_GROUP}/registries", get_all=True):
        if not registry["declared"]:
            path = f"/virtual_registries/{PART}/registries/{registry['id']}/upstreams"
            listed = client.http_list(path, get_all=True)
            found[registry["name"]] = [(u["name"], u["url"], u["description"]) for u in listed]
    return found


def _copied(old: Managed, new: Managed) -> list[str]:
    """The lines that the example prints."""
    tokens = {"OLD_TOKEN": old.owner.secret, "NEW_TOKEN": new.owner.secret}
    done = subprocess.run(
        [sys.executable, EXAMPLE, old.url, GROUP, new.url, GROUP],
        capture_output=True,
        text=True,
        env={**os.environ, **tokens},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_registries_are_copied_with_what_they_share(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with (
        managed(tmp_path / "old") as there,
        managed(tmp_path / "new") as here,
        gitlab.Gitlab(there.url, private_token=there.owner.secret) as old,
        gitlab.Gitlab(here.url, private_token=here.owner.secret) as new,
    ):
        root = f"/virtual_registries/{PART}"
        one = _post(old, f"{OF_GROUP}/registries", name="one", description="the first")
        two = _post(old, f"{OF_GROUP}/registries", name="two")
        fields = {"username": "robot", "password": "secret", "cache_validity_hours": 5}
        first = f"{root}/registries/{one['id']}/upstreams"
        _post(old, first, name="guarded", url="https://guarded.example.test/maven", **fields)
        shared = _post(
            old, first, name="shared", url="https://shared.example.test", description="s"
        )
        link = {"registry_id": two["id"], "upstream_id": shared["id"]}
        _post(old, f"{root}/registry_upstreams", **link)
        _post(old, f"{root}/registry_upstreams", **{**link, "upstream_id": 1})

        told = _copied(there, here)
        expected = _registries(old)
        expected["two"] = expected["two"][:1]
        assert _registries(new) == expected
        assert [name for name, *_ in expected["one"]] == ["guarded", "shared"]
        assert f"{PART}: upstream 'shared' is shared" in told
        assert any("'guarded' is copied WITHOUT its login" in line for line in told)
        assert any("'files' is NOT copied" in line for line in told)
        upstreams = new.http_list(f"{OF_GROUP}/upstreams", get_all=True)
        assert sorted(each["name"] for each in upstreams) == ["files", "guarded", "shared"]

        again = _copied(there, here)
        assert all("is there already" in line for line in again)
        assert _registries(new) == expected

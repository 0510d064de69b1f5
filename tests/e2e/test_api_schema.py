"""The running server keeps to what its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest

from tests.docs.running import ROOT
from tests.e2e.managed import GROUP, Managed, managed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SEED = 5
OTHER = "other-group"
"""Switched off and on again: nothing else is of it."""
PARTS = ("packages/maven", "container")

_GENERAL = f"""
parameters = {{ "path.group" = "{GROUP}" }}

[checks]
enabled = true

# What a schema cannot say is refused as well; tests.e2e.api_checks looks at how.
[checks.positive_data_acceptance]
expected-statuses = [200, 201, 202, 204, 400, 401, 403, 404, 409, 412]

# In a form, 0 is a way to say false.
[[operations]]
include-path-regex = "settings$"
include-method = "PATCH"
parameters = {{ "path.group" = "{OTHER}" }}
checks.negative_data_rejection = {{ enabled = false }}

[[operations]]
include-path-regex = "policy$"
checks.negative_data_rejection = {{ enabled = false }}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    with managed(tmp_path_factory.mktemp("managed")) as place:
        place.accounts.add_group(OTHER)
        yield place


def _config(place: Managed) -> str:
    """There is something by most of the numbers that calls have in their paths."""
    with gitlab.Gitlab(place.url, private_token=place.owner.secret) as client:
        tables = [table for part in PARTS for table in _tables(client, part)]
    return _GENERAL + "".join(tables)


def _tables(client: gitlab.Gitlab, part: str) -> Iterator[str]:
    """One registry is pulled through; another one, and its upstream, are changed."""
    root, group = f"/virtual_registries/{part}", f"/groups/{GROUP}/-/virtual_registries/{part}"
    declared = next(iter(client.http_list(f"{group}/upstreams", get_all=True)))["id"]
    pulled = _made(client, f"{group}/registries", name=f"pulled {part}")["id"]
    place = _made(client, f"{root}/registry_upstreams", registry_id=pulled, upstream_id=declared)[
        "id"
    ]
    changed = _made(client, f"{group}/registries", name=f"changed {part}")["id"]
    fields = {"name": "one", "url": "https://one.example.test"}
    upstream = _made(client, f"{root}/registries/{changed}/upstreams", **fields)["id"]
    inner = {"name": "inner", "local_registry_id": pulled}
    local = _made(client, f"{root}/registries/{changed}/local/upstreams", **inner)["id"]
    yield _numbered(f"{root}/local/upstreams/.id.$", local)
    yield _numbered(f"{root}/registries/.id.((/local)?/upstreams)?$", changed)
    yield _numbered(f"{root}/registries/.id./(?!upstreams|local)", pulled)
    yield _numbered(f"{root}/upstreams/.id.(/(cache|rules|login))?$", upstream)
    yield _numbered(f"{root}/upstreams/.id./(test|cache_entries)$", declared)
    yield _numbered(f"{root}/registry_upstreams/.id.$", place)


def _numbered(paths: str, number: int) -> str:
    """All but what would end the thing for all calls that come after."""
    return f"""
[[operations]]
include-path-regex = {json.dumps(f"^{paths}")}
exclude-method = "DELETE"
parameters = {{ "path.id" = {number} }}
"""


def _made(client: gitlab.Gitlab, path: str, **fields: Any) -> dict[str, Any]:
    made = client.http_post(path, post_data=fields)
    assert isinstance(made, dict)
    return made


def test_answers_are_as_the_document_says(place: Managed, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(_config(place))
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run"]
    command += [f"{place.url}/api/v4/openapi.json", f"--seed={SEED}", "--max-examples=3"]
    command += ["--phases=examples,coverage,fuzzing", "--continue-on-failure"]
    command += ["--no-shrink", "--no-color", "--generation-database=none"]
    # Sanitized in all that it prints.
    command += ["--header", f"PRIVATE-TOKEN:{place.administrator.secret}"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.e2e.api_checks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,  # it leaves a folder there
        env={**os.environ, **hooks},
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: (\d{2,})$", done.stdout, re.MULTILINE)

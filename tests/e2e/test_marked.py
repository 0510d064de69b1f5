"""The search for secrets finds them, in all the places where it looks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import marked

pytestmark = pytest.mark.e2e

PLANTED = marked.SECRETS.make("a secret that is planted")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (PLANTED, "a secret that is planted"),
        (f"vrp_{'a1' * 21}Z", "the text of a token"),
        (f"https://host/b?X-Amz-Signature={'0f' * 32}", "a presigned link"),
        (f"Bearer eyJhbGciOiJF.eyJpc3MiOiJh.{'s' * 40}", "a JSON Web Token"),
    ],
    ids=["secret", "token", "link", "grant"],
)
@pytest.mark.parametrize("name", ["server.log", "server.toml", "data/index.sqlite", "data/blobs/1"])
def test_it_is_found_in_files(text: str, what: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(text)
    planted = tmp_path / name
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text("nothing")
    assert marked.found_below(tmp_path) == []
    planted.write_text(f"some {text} more")
    assert marked.found_below(tmp_path) == [f"{planted}: {what}"]


@pytest.mark.parametrize("name", ["cmdline", "environ"])
def test_it_is_found_in_the_list_of_processes(name: str) -> None:
    shown = {"cmdline": [PLANTED], "environ": []}[name]
    environ = dict(os.environ) | ({"PLANTED": PLANTED} if name == "environ" else {})
    code = "import sys; print(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *shown],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = marked.found_in_processes([process.pid])
        process.communicate()
    assert found == [f"/proc/{process.pid}/{name}: a secret that is planted"]
    assert marked.found_in_processes([process.pid]) == []

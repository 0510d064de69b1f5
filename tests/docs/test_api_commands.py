"""What the pages about the API tell one to type works, and is answered as they say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docs.running import ROOT
from tests.docs.serving import PLACE
from tests.e2e.managed import managed

pytestmark = pytest.mark.e2e

_BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ("cleanup.md", "manage-registries-by-api.md")


def _typed(line: str, host: str) -> list[str]:
    """A command of a page, as one for this server that fails when the answer is an error."""
    program, *arguments = shlex.split(line.replace(PLACE, host))
    return [program, "--silent", "--show-error", "--fail-with-body", *arguments]


def _agrees(shown: Any, answered: Any) -> bool:
    """Whether an answer has all that a page shows of it."""
    if isinstance(shown, dict):
        return all(name in answered and _agrees(shown[name], answered[name]) for name in shown)
    if isinstance(shown, list):
        return len(shown) == len(answered) and all(map(_agrees, shown, answered))
    return bool(shown == answered)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / page).read_text()
    with managed(tmp_path) as place:
        (tmp_path / "login").write_text(f"PRIVATE-TOKEN: {place.owner.secret}\n")
        answered = ""
        for language, block in _BLOCK.findall(text):
            if language == "json":
                assert _agrees(json.loads(block), json.loads(answered)), answered
                continue
            for line in block.replace("\\\n", "").splitlines():
                if PLACE in line:
                    command = _typed(line, place.server.host)
                    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
                    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                    answered = done.stdout

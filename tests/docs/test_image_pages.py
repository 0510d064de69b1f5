"""What the program prints for engines of images stands on their pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.running import ROOT
from tests.docs.serving import PLACE, blocks
from virtreg.config import default_config
from virtreg.formats.container import problems
from virtreg.snippets import snippets

_PAGES = {
    "Docker": "docker.md",
    "containerd": "containerd.md",
    "Podman, Buildah, Skopeo and CRI-O": "podman.md",
    "BuildKit": "buildkit.md",
    "Pull": "docker.md",
}
_HUB = default_config(Path("virtreg-data")).registries[1]
_PRINTED = {snippet.title: snippet for snippet in snippets(f"http://{PLACE}", _HUB)}


@pytest.mark.parametrize("title", _PRINTED)
def test_the_page_of_an_engine_has_what_is_printed_for_it(title: str) -> None:
    page = (ROOT / "docs" / "how-to" / _PAGES[title]).read_text()
    assert _PRINTED[title].text in page
    if _PRINTED[title].filename != "shell":
        assert f"`{_PRINTED[title].filename}`" in page


def test_every_code_of_image_errors_is_described() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    codes = {*problems._CODES.values(), *problems._ABSENT.values(), "NAME_UNKNOWN", "UNAVAILABLE"}
    for code in (*codes, "UNKNOWN"):
        assert f"| `{code}` | " in page


def test_logins_that_commands_print_are_json() -> None:
    for text in blocks("how-to/private-upstreams.md", "json"):
        assert {key.lower() for key in json.loads(text)} & {"secret", "password"}

"""Formats by name, and one that is not built in."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from virtreg.errors import ConfigError
from virtreg.formats import named
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.protocols import Format
from virtreg.testing.formats import FormatSuite

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_format.py"
FilesFormat: Callable[[], Format] = runpy.run_path(str(EXAMPLE))["FilesFormat"]


class TestFilesFormat(FormatSuite):
    valid_paths = ("a", "reports/2024/summary.pdf", "日本/é")
    invalid_paths = ("/a", "a//b", "a/", "a\\b", ".")

    def make_format(self) -> Format:
        return named("files", custom=[FilesFormat()])


def test_built_in_formats_have_their_name() -> None:
    for name in ("container", "maven"):
        assert named(name).name == name


def test_a_custom_format_comes_before_a_built_in_one() -> None:
    ours = MavenFormat()
    assert named("maven", custom=[ours]) is ours


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"there is no format 'oic'; there are: container, files, maven"
    ):
        named("oic", custom=[FilesFormat()])


def test_formats_are_imported_when_named() -> None:
    code = """
import sys, virtreg.formats
sys.exit(any(name.endswith(".adapter") for name in sys.modules if name.startswith("virtreg.")))
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_runs() -> None:
    run = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=True)
    assert "path='reports/2024/summary.pdf'" in run.stdout
    assert "invalid_request" in run.stdout

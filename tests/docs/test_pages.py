from __future__ import annotations

import atexit
import re
from contextlib import chdir
from pathlib import Path

import pytest
from sybil.document import Document

from tests.docs.running import PARSERS, ROOT, WORKS, configuration
from virtreg import Assembly

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place like the one the pages are about."""
    text = (ROOT / "examples" / "server.toml").read_text()
    for name in ("server.toml", "registries.toml"):
        (tmp_path / name).write_text(text)
    return tmp_path


def _close(assembly: Assembly | None) -> None:
    """Now instead of at the end of the program: other tests count threads."""
    if assembly is not None:
        atexit.unregister(assembly.close)
        assembly.close()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_snippet_works(page: Path, folder: Path) -> None:
    document = Document.parse(str(page), *PARSERS)
    try:
        with chdir(folder):
            for example in document.examples():
                example.evaluate()
    finally:
        _close(document.namespace.get("assembly"))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_snippet_says_its_language(page: Path) -> None:
    fences = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= set(WORKS)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).is_file(), target


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "server.toml").read_text()
    main, images = configuration(text, tmp_path).registries
    assert [upstream.name for upstream in main.upstreams] == ["central", "gradle-plugins"]
    assert [upstream.name for upstream in images.upstreams] == ["docker-hub"]

"""A folder as one of the upstreams of a registry."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.service.hub import FILE, LARGE, SMALL, fake
from tests.service.local.nest import Nest, folder, to
from tests.service.local.test_nested import METADATA, document, versions
from virtreg.errors import Barred, UpstreamUnavailable


def put(root: Path, path: str, content: bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    return root


def test_its_files_are_served_and_not_kept(nest: Nest, root: Path) -> None:
    put(root, FILE, LARGE)
    nest.add("outer", folder(root))
    assert nest.get("outer", FILE) == LARGE
    assert nest.get("outer", FILE, 7, 70_000) == LARGE[7:70_000]
    assert nest.get("outer", f"{FILE}.sha256") == hashlib.sha256(LARGE).hexdigest().encode()
    assert nest.blobs() == []


def test_a_new_file_is_there_at_once_and_a_removed_one_gone(nest: Nest, root: Path) -> None:
    b = fake("b", negative_validity_seconds=0)
    b.put(FILE, b"of b")
    nest.add("outer", folder(root), b, order="strict")
    assert nest.pull("outer", FILE) == b"of b"
    put(root, FILE, SMALL)
    assert nest.get("outer", FILE) == SMALL
    (root / FILE).unlink()
    assert nest.get("outer", FILE) == b"of b"


def test_a_folder_that_is_gone_lets_nobody_else_answer(nest: Nest, root: Path) -> None:
    b = fake("b")
    b.put(FILE, b"of b")
    nest.add("outer", folder(root), b)
    shutil.rmtree(root)
    with pytest.raises(UpstreamUnavailable):
        nest.get("outer", FILE)


def test_its_versions_are_merged_and_follow_it(nest: Nest, root: Path) -> None:
    b = fake("b")
    b.put(METADATA, document("2"))
    put(root, METADATA, document("1"))
    nest.add("outer", folder(root), b)
    assert versions(nest.get("outer", METADATA)) == ["1", "2"]
    nest.flush()
    put(root, METADATA, document("1", "3"))
    assert versions(nest.get("outer", METADATA)) == ["1", "2", "3"]
    assert b.count(METADATA) == 1


def test_its_releases_have_an_age(nest: Nest, root: Path) -> None:
    put(root, FILE, SMALL)
    nest.add("outer", folder(root, minimum_release_age_hours=24))
    with pytest.raises(Barred):
        nest.get("outer", FILE)


def test_it_can_be_behind_another_registry(nest: Nest, root: Path) -> None:
    put(root, FILE, SMALL)
    nest.add("inner", folder(root))
    nest.add("outer", to("inner"))
    assert nest.get("outer", FILE) == SMALL
    assert nest.blobs() == []

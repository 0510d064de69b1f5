"""Blobs that are far away: what is asked of their store, and what becomes of what is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.store import shelf
from tests.wsgi.conftest import Sites
from tests.wsgi.sites import JAR, LARGE_BODY, MIDDLE, MIDDLE_BODY, POM, SMALL_BODY, Site
from virtreg.core.layout import blob_key
from virtreg.errors import Missing

shelf.register()

FILES = [(POM, SMALL_BODY), (MIDDLE, MIDDLE_BODY), (JAR, LARGE_BODY)]
ALL = pytest.mark.parametrize(("path", "body"), FILES, ids=["small", "middle", "large"])
DAY = 86400.0


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def far(quick_sites: Sites, bucket: Path) -> Site:
    """No copies are kept nearby."""
    return quick_sites(storage={"url": f"shelf://{bucket}", "cache_bytes": 0})


def object_of(site: Site, bucket: Path, path: str) -> Path:
    return bucket / blob_key(site.entry(path).sha256)


@ALL
def test_a_blob_is_served_from_far_away(far: Site, bucket: Path, path: str, body: bytes) -> None:
    far.fill(path)
    assert object_of(far, bucket, path).read_bytes() == body
    for _ in range(3):
        answer = far.get(path)
        assert (answer.status, answer.origin, answer.body) == (200, "hit", body)
    assert far.get(path, {"Range": "bytes=5-9"}).body == body[5:10]
    assert far.near.count(path) == 1


@ALL
def test_a_blob_that_is_gone_is_fetched_anew_in_the_same_request(
    far: Site, bucket: Path, path: str, body: bytes
) -> None:
    far.fill(path)
    object_of(far, bucket, path).unlink()
    answer = far.get(path)
    assert (answer.status, answer.origin, answer.body) == (200, "miss", body)
    far.witness.await_filled(path, 2)
    assert far.get(path).origin == "hit"
    assert far.near.count(path) == 2


@pytest.mark.parametrize(("path", "body"), FILES[1:], ids=["middle", "large"])
def test_a_ready_answer_whose_blob_is_gone_is_fetched_anew(
    far: Site, bucket: Path, path: str, body: bytes
) -> None:
    far.make_ready(path)
    object_of(far, bucket, path).unlink()
    answer = far.get(path)
    assert (answer.status, answer.origin, answer.body) == (200, "miss", body)


@ALL
def test_a_part_of_a_blob_that_is_gone_is_fetched_anew(
    far: Site, bucket: Path, path: str, body: bytes
) -> None:
    far.fill(path)
    object_of(far, bucket, path).unlink()
    answer = far.get(path, {"Range": "bytes=5-9"})
    assert (answer.status, answer.body) == (206, body[5:10])


@ALL
def test_what_needs_no_byte_asks_for_none(far: Site, bucket: Path, path: str, body: bytes) -> None:
    far.fill(path)
    etag = far.head(path)["ETag"]
    object_of(far, bucket, path).unlink()
    head = far.head(path)
    assert (head.status, head.origin, head["Content-Length"]) == (
        200,
        "hit",
        str(len(body)),
    )
    assert far.get(path, {"If-None-Match": etag}).status == 304
    assert far.near.count(path) == 1


@pytest.mark.parametrize(("path", "body"), FILES[:2], ids=["small", "middle"])
def test_a_blob_that_is_damaged_is_fetched_anew_in_the_same_request(
    far: Site, bucket: Path, path: str, body: bytes
) -> None:
    far.fill(path)
    object_of(far, bucket, path).write_bytes(b"!" + body[1:])
    answer = far.get(path)
    assert (answer.status, answer.origin, answer.body) == (200, "miss", body)
    far.witness.await_filled(path, 2)
    assert object_of(far, bucket, path).read_bytes() == body


def test_a_large_blob_that_is_damaged_is_cut_and_fetched_anew_next_time(
    far: Site, bucket: Path
) -> None:
    far.fill(JAR)
    object_of(far, bucket, JAR).write_bytes(b"!" + LARGE_BODY[1:])
    with pytest.raises(Missing, match="other bytes"):
        far.get(JAR)
    answer = far.get(JAR)
    assert (answer.origin, answer.body) == ("miss", LARGE_BODY)


@ALL
def test_copies_nearby_serve_while_the_far_store_is_gone(
    quick_sites: Sites, bucket: Path, path: str, body: bytes
) -> None:
    site = quick_sites(storage={"url": f"shelf://{bucket}"})
    site.fill(path)
    object_of(site, bucket, path).unlink()
    for _ in range(2):
        answer = site.get(path)
        assert (answer.status, answer.origin, answer.body) == (200, "hit", body)
    assert site.near.count(path) == 1

"""The object store keeps the contract on moto's S3."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.backends.store.bucket import moto_bucket
from virtreg.backends.store.objects import ObjectStore
from virtreg.errors import Missing, StorageError
from virtreg.testing.stores import CacheStoreSuite, key_of, pattern

PREFIXES = itertools.count()


@pytest.fixture(scope="module")
def access() -> Iterator[dict[str, Any]]:
    with moto_bucket() as access:
        yield access


@pytest.fixture
def store(access: dict[str, Any]) -> ObjectStore:
    return ObjectStore(f"s3://bucket/{next(PREFIXES)}", **access)


class TestMoto(CacheStoreSuite):
    @pytest.fixture
    def store(self, access: dict[str, Any]) -> ObjectStore:
        return ObjectStore(f"s3://bucket/{next(PREFIXES)}", **access)


def test_a_large_file_goes_up_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    content = pattern(20_000_000)
    (tmp_path / "spooled").write_bytes(content)
    store.put(key_of(content), tmp_path / "spooled")
    with store.open_known(key_of(content), len(content)) as body:
        assert b"".join(body.read()) == content


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_what_the_bucket_holds_is_not_served_if_it_is_not_what_its_key_says(
    store: ObjectStore, size: int
) -> None:
    content = pattern(size)
    key = key_of(content)
    store.put(key_of(b"other"), b"other")
    # There is no other way past the check than to write below the store.
    store._ask("put", lambda place: place.put(key, b"!" + content[1:]))
    got: list[bytes] = []
    with (
        store.open_known(key, size) as body,
        pytest.raises(Missing, match="other bytes than those of"),
    ):
        got.extend(body.read())
    assert len(b"".join(got)) < size


@pytest.mark.parametrize("size", [5, 400_000])
@pytest.mark.parametrize("more", [-1, 1])
def test_what_has_another_size_than_is_known_is_missing(
    store: ObjectStore, size: int, more: int
) -> None:
    content = pattern(size)
    store.put(key_of(content), content)
    with (
        store.open_known(key_of(content), size + more) as body,
        pytest.raises(Missing, match=r"another size|other bytes"),
    ):
        list(body.read())


@pytest.mark.parametrize("start", [0, 300_000])
def test_a_part_of_what_has_another_size_is_missing(store: ObjectStore, start: int) -> None:
    content = pattern(300_000)
    store.put(key_of(content), content)
    with store.open_known(key_of(content), 400_000) as body, pytest.raises(Missing):
        list(body.read(start, start + 10))


def test_a_bucket_that_is_gone_is_not_taken_for_a_blob_that_is(access: dict[str, Any]) -> None:
    store = ObjectStore("s3://nowhere", **access)
    with pytest.raises(StorageError, match="cannot open") as caught:
        store.open(key_of(b"x"))
    assert not isinstance(caught.value, Missing)
    with (
        store.open_known(key_of(b"x"), 1) as body,
        pytest.raises(StorageError, match="cannot read") as read,
    ):
        list(body.read())
    assert not isinstance(read.value, Missing)


def test_a_link_gives_the_blob_to_whoever_has_it(store: ObjectStore) -> None:
    content = pattern(3_000_000)
    store.put(key_of(content), content)
    link = store.presign(key_of(content), len(content), "application/x-layer", 60)
    assert link is not None
    with urlopen(link) as answer:
        assert answer.headers["Content-Type"] == "application/x-layer"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["Cache-Control"] == "private"
        assert answer.read() == content
    with urlopen(Request(link, headers={"Range": "bytes=5-9"})) as answer:
        assert (answer.status, answer.read()) == (206, content[5:10])


def test_there_is_no_link_to_what_is_not_there(store: ObjectStore) -> None:
    with pytest.raises(Missing):
        store.presign(key_of(b"never"), 5, "text/plain", 60)
    store.put(key_of(b"short"), b"short")
    assert store.presign(key_of(b"short"), 5, "text/plain", 60) is not None
    store.delete(key_of(b"short"))
    with pytest.raises(Missing):
        store.presign(key_of(b"short"), 5, "text/plain", 60)

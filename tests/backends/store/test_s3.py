"""The object store keeps the contract on a real S3 server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs

from tests.backends.store.weed import s3_server, weed_binary
from virtreg.backends.store.objects import ObjectStore
from virtreg.errors import Missing, StorageError
from virtreg.testing.stores import CacheStoreSuite, key_of, pattern

pytestmark = pytest.mark.e2e

PREFIXES = itertools.count()


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with s3_server(weed_binary(), tmp_path_factory.mktemp("weed")) as access:
        s3fs.S3FileSystem(**access, skip_instance_cache=True).mkdir("bucket")
        yield access


@pytest.fixture
def store(access: dict[str, Any]) -> ObjectStore:
    return ObjectStore(f"s3://bucket/{next(PREFIXES)}", **access)


class TestS3(CacheStoreSuite):
    @pytest.fixture
    def store(self, access: dict[str, Any]) -> ObjectStore:
        return ObjectStore(f"s3://bucket/{next(PREFIXES)}", **access)


def test_a_large_file_goes_up_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    content = pattern(40_000_000)
    (tmp_path / "spooled").write_bytes(content)
    store.put(key_of(content), tmp_path / "spooled")
    with store.open(key_of(content)) as body:
        assert body.size == len(content)
        assert b"".join(body.read()) == content


def test_what_another_store_object_puts_is_seen_at_once(access: dict[str, Any]) -> None:
    url = f"s3://bucket/{next(PREFIXES)}"
    ours, theirs = ObjectStore(url, **access), ObjectStore(url, **access)
    with pytest.raises(Missing):
        ours.open(key_of(b"x"))
    theirs.put(key_of(b"x"), b"x")
    with ours.open(key_of(b"x")) as body:
        assert b"".join(body.read()) == b"x"
    assert [key for key, _, _ in ours.list()] == [key_of(b"x")]
    theirs.delete(key_of(b"x"))
    assert list(ours.list()) == []


def test_wrong_credentials_are_a_storage_error_that_does_not_print_them(
    access: dict[str, Any],
) -> None:
    store = ObjectStore("s3://bucket", **{**access, "secret": "hunter2"})
    with pytest.raises(StorageError) as caught:
        store.put(key_of(b"x"), b"x")
    assert caught.value.message == (
        f"cannot put {key_of(b'x')}: the secret of the access key is not the right one"
        " (PermissionError)"
    )

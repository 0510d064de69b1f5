"""The local store keeps the contract, and what is special about files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from virtreg.backends.store import LocalStore
from virtreg.core.layout import LONGEST_NOTE, NOTES
from virtreg.errors import Missing, StorageError
from virtreg.testing.stores import CacheStoreSuite, key_of, pattern


class TestLocalStore(CacheStoreSuite):
    def make_store(self, folder: Path) -> LocalStore:
        return LocalStore(folder)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "deep" / "store")


def files_below(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def test_nothing_is_made_before_the_first_use(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    assert list(store.list()) == []
    with pytest.raises(Missing):
        store.open(key_of(b"x"))
    assert not (tmp_path / "store").exists()


def test_a_put_leaves_only_the_blob(store: LocalStore, tmp_path: Path) -> None:
    store.put(key_of(b"x"), b"x")
    assert files_below(tmp_path / "deep" / "store") == [key_of(b"x")]


def test_a_spooled_file_is_moved_not_copied(store: LocalStore) -> None:
    spooled = store.spool() / "download"
    spooled.write_bytes(b"x")
    inode = spooled.stat().st_ino
    store.put(key_of(b"x"), spooled)
    assert not spooled.exists()
    with store.open(key_of(b"x")) as body, body.file() as file:
        assert os.fstat(file.fileno()).st_ino == inode


def test_a_put_renews_the_time(store: LocalStore) -> None:
    spooled = store.spool() / "download"
    spooled.write_bytes(b"x")
    os.utime(spooled, (1000, 1000))
    store.put(key_of(b"x"), spooled)
    ((_, _, modified_at),) = store.list()
    assert modified_at > 1000


def test_a_file_on_another_filesystem_is_copied(store: LocalStore, tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second filesystem")
    source = elsewhere / f"virtreg-test-{os.getpid()}"
    source.write_bytes(pattern(3_000_000))
    try:
        store.put(key_of(pattern(3_000_000)), source)
    finally:
        source.unlink(missing_ok=True)
    with store.open(key_of(pattern(3_000_000))) as body:
        assert b"".join(body.read()) == pattern(3_000_000)
    assert list(store.spool().iterdir()) == []


def test_a_deleted_blob_stays_readable_where_it_is_open(store: LocalStore) -> None:
    store.put(key_of(b"content"), b"content")
    with store.open(key_of(b"content")) as body:
        store.delete(key_of(b"content"))
        assert b"".join(body.read()) == b"content"
        with body.file() as file:
            assert file.read() == b"content"


def test_a_read_under_way_survives_the_close_and_a_new_one_is_refused(store: LocalStore) -> None:
    content = pattern(1_000_000)
    store.put(key_of(content), content)
    body = store.open(key_of(content))
    pieces = body.read()
    got = next(pieces)
    body.close()
    body.close()
    assert got + b"".join(pieces) == content
    with pytest.raises(StorageError, match="the body is closed"):
        next(body.read())
    with pytest.raises(StorageError, match="the body is closed"):
        body.file()


def test_a_body_forgotten_open_is_told(store: LocalStore) -> None:
    store.put(key_of(b"x"), b"x")
    with pytest.warns(ResourceWarning, match="unclosed body blobs/sha256/"):
        store.open(key_of(b"x"))


def test_a_file_that_became_shorter_is_an_error(store: LocalStore, tmp_path: Path) -> None:
    content = pattern(1_000_000)
    store.put(key_of(content), content)
    with store.open(key_of(content)) as body:
        os.truncate(tmp_path / "deep" / "store" / key_of(content), 500_000)
        with pytest.raises(StorageError, match="became shorter"):
            list(body.read())


def test_a_folder_in_a_blobs_place_is_an_error(store: LocalStore, tmp_path: Path) -> None:
    key = key_of(b"x")
    (tmp_path / "deep" / "store" / key).mkdir(parents=True)
    with pytest.raises(StorageError, match=f"cannot open {key}: not a regular file"):
        store.open(key)
    with pytest.raises(StorageError, match=f"cannot put {key}: Is a directory"):
        store.put(key, b"x")
    assert list(store.spool().iterdir()) == []


def test_disk_trouble_is_a_storage_error_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = LocalStore(tmp_path / "file")
    with pytest.raises(StorageError, match=f"cannot put {key_of(b'x')}: Not a directory"):
        store.put(key_of(b"x"), b"x")
    with pytest.raises(StorageError, match="cannot make a spool folder: Not a directory"):
        store.spool()
    with pytest.raises(StorageError, match="cannot list blobs: Not a directory"):
        list(store.list())


def test_what_is_not_a_blob_is_not_listed(store: LocalStore, tmp_path: Path) -> None:
    key = key_of(b"x")
    store.put(key, b"x")
    shard = (tmp_path / "deep" / "store" / key).parent
    (shard / "lost+found").mkdir()
    (shard / ".nfs0001").touch()
    (shard.parent / "README").touch()
    assert [found for found, _, _ in store.list()] == [key]


def test_a_note_that_is_longer_than_any_of_ours_is_not_read(
    store: LocalStore, tmp_path: Path
) -> None:
    name = NOTES + "long"
    store.write_note(name, b"")
    os.truncate(tmp_path / "deep" / "store" / name, LONGEST_NOTE + 1)
    with pytest.raises(StorageError, match="more than a note may have"):
        store.read_note(name)

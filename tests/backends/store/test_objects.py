"""The object store keeps the contract over a filesystem that is not local to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.store import shelf
from virtreg.backends.store import LocalStore, MemoryStore, open_store
from virtreg.backends.store.objects import ObjectStore
from virtreg.core.layout import LONGEST_NOTE, NOTES
from virtreg.errors import ConfigError, Missing, StorageError
from virtreg.testing.stores import CacheStoreSuite, key_of, pattern

shelf.register()


class TestObjectStore(CacheStoreSuite):
    def make_store(self, folder: Path) -> ObjectStore:
        return ObjectStore(f"shelf://{folder}")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(f"shelf://{tmp_path}/bucket/")


def test_a_blob_lies_below_the_url(store: ObjectStore, tmp_path: Path) -> None:
    store.put(key_of(b"x"), b"x")
    assert (tmp_path / "bucket" / key_of(b"x")).read_bytes() == b"x"


def test_a_blob_gone_amid_a_read_is_an_error(store: ObjectStore) -> None:
    content = pattern(9_000_000)
    store.put(key_of(content), content)
    with store.open(key_of(content)) as body:
        pieces = body.read()
        got = [next(pieces)]
        store.delete(key_of(content))
        with pytest.raises(StorageError, match=r"the store does not hold"):
            got.extend(pieces)


def test_what_is_being_read_is_not_reclaimed(store: ObjectStore) -> None:
    content = pattern(9_000_000)
    key = key_of(content)
    store.put(key, content)
    later = 2**40
    with store.open(key) as body, store.open(key) as another:
        pieces = body.read()
        got = [next(pieces)]
        another.close()
        another.close()
        assert store.reclaim(key, later) is None
        assert b"".join([*got, *pieces]) == content
    assert store.reclaim(key, later) == len(content)


def test_a_blob_cut_short_amid_a_read_is_an_error(store: ObjectStore, tmp_path: Path) -> None:
    content = pattern(100_000)
    store.put(key_of(content), content)
    with store.open(key_of(content)) as body:
        (tmp_path / "bucket" / key_of(content)).write_bytes(content[:-1])
        with pytest.raises(Missing, match="another size than 100000"):
            list(body.read())


def test_trouble_is_told_by_its_kind_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ObjectStore(f"shelf://{tmp_path}/file", secret="hunter2")
    with pytest.raises(StorageError) as caught:
        store.put(key_of(b"x"), b"x")
    assert caught.value.message == f"cannot put {key_of(b'x')}: NotADirectoryError"
    assert repr(store) == "ObjectStore(shelf://…)"


def test_a_forked_child_opens_the_filesystem_again(tmp_path: Path) -> None:
    script = """
import os, sys
from tests.backends.store import shelf
shelf.register()
from virtreg.backends.store.objects import ObjectStore
from virtreg.testing.stores import key_of
store = ObjectStore(f"shelf://{sys.argv[1]}")
store.put(key_of(b"parent"), b"parent")
before = shelf.opened
child = os.fork()
if child == 0:
    with store.open(key_of(b"parent")) as body:
        os._exit(0 if list(body.read()) == [b"parent"] and shelf.opened > before else 1)
_, status = os.waitpid(child, 0)
assert status == 0
"""
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=root)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///srv/cache", "give a plain path"),
        ("local:///srv/cache", "give a plain path"),
        ("memory://", "use MemoryStore"),
        ("simplecache::s3://bucket", "without '::'"),
        ("bucket", "must be <scheme>://<place>"),
        ("nosuch://user:hunter2@host/", "no filesystem for a store at nosuch://"),
    ],
)
def test_a_url_that_cannot_hold_a_store_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        ObjectStore(url)
    assert "hunter2" not in caught.value.message


def test_a_place_says_which_store_it_is(tmp_path: Path) -> None:
    assert isinstance(open_store(tmp_path), LocalStore)
    assert isinstance(open_store(str(tmp_path / "store")), LocalStore)
    assert isinstance(open_store("memory://"), MemoryStore)
    assert isinstance(open_store(f"shelf://{tmp_path}"), ObjectStore)
    with pytest.raises(ConfigError, match="give a plain path"):
        open_store(f"file://{tmp_path}")


def test_a_note_that_is_longer_than_any_of_ours_is_not_read(
    store: ObjectStore, tmp_path: Path
) -> None:
    name = NOTES + "long"
    store.write_note(name, b"")
    os.truncate(tmp_path / "bucket" / name, LONGEST_NOTE + 1)
    with pytest.raises(StorageError, match="more than a note may have"):
        store.read_note(name)

"""What is read of the remote store, and what is served instead."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.service.nearby.places import Nearby
from virtreg.errors import Missing, StorageError
from virtreg.protocols import Body, Defers, HasFile
from virtreg.testing.stores import key_of, pattern

SMALL = b"<project/>"
LARGE = pattern(3_000_000)
BOTH = pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])


def whole(body: Body) -> bytes:
    return b"".join(body.read())


@pytest.fixture
def nearby(tmp_path: Path) -> Iterator[Nearby]:
    nearby = Nearby(tmp_path)
    yield nearby
    nearby.close()


@BOTH
def test_what_is_put_here_is_a_local_file_at_once(nearby: Nearby, content: bytes) -> None:
    nearby.store.put(key_of(content), content)
    with nearby.store.open_known(key_of(content), len(content)) as body:
        assert isinstance(body, HasFile)
        assert b"".join(body.read()) == content
    assert nearby.remote.reads == []
    assert nearby.store.totals() == {"hits": 1, "copies": 1, "past": 0}


@BOTH
def test_what_another_node_put_is_read_once(nearby: Nearby, content: bytes) -> None:
    key = key_of(content)
    nearby.only_remote(key, content)
    with nearby.store.open_known(key, len(content)) as body:
        assert isinstance(body, Defers)
        assert body.deferred()
        assert nearby.remote.reads == []
        assert b"".join(body.read()) == content
        assert b"".join(body.read(3, 9)) == content[3:9]
        assert not body.deferred()
    nearby.store.settle()
    with nearby.store.open_known(key, len(content)) as body:
        assert isinstance(body, HasFile)
        assert b"".join(body.read()) == content
    assert nearby.remote.reads == [(key, 0, None)]


def test_many_who_want_it_at_once_share_one_read(nearby: Nearby) -> None:
    key = key_of(LARGE)
    nearby.only_remote(key, LARGE)
    nearby.remote.going.clear()
    bodies = [nearby.store.open_known(key, len(LARGE)) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        reads = [threads.submit(whole, body) for body in bodies]
        nearby.remote.going.set()
        assert {read.result() for read in reads} == {LARGE}
    for body in bodies:
        body.close()
    assert nearby.remote.reads == [(key, 0, None)]


def test_a_part_far_ahead_is_not_waited_for(nearby: Nearby) -> None:
    content = pattern(12_000_000)
    key = key_of(content)
    nearby.only_remote(key, content)
    nearby.remote.going.clear()
    with nearby.store.open_known(key, len(content)) as body:
        piece = next(iter(body.read(11_000_000, 11_000_100)))
        assert piece == content[11_000_000:11_000_100]
        assert (key, 11_000_000, 11_000_100) in nearby.remote.reads
        nearby.remote.going.set()


@BOTH
def test_what_is_gone_from_the_remote_store_is_missing_at_the_first_read(
    nearby: Nearby, content: bytes
) -> None:
    with (
        nearby.store.open_known(key_of(content), len(content)) as body,
        pytest.raises(Missing),
    ):
        list(body.read())


@BOTH
def test_what_is_wrong_in_the_remote_store_is_missing_and_no_copy_is_kept(
    nearby: Nearby, content: bytes
) -> None:
    key = key_of(content)
    nearby.only_remote(key, content)
    nearby.remote.overwrite(key, b"!" + content[1:])
    got: list[bytes] = []
    with nearby.store.open_known(key, len(content)) as body, pytest.raises(Missing):
        got.extend(body.read())
    assert len(b"".join(got)) < len(content)
    assert nearby.held() == set()


def test_a_copy_that_became_shorter_is_made_anew(nearby: Nearby) -> None:
    key = key_of(LARGE)
    nearby.store.put(key, LARGE)
    (nearby.local._root / key).write_bytes(LARGE[:-1])
    assert nearby.read(key, len(LARGE)) == LARGE


def test_a_copy_does_not_outlive_the_blob_here(nearby: Nearby) -> None:
    for content in (b"deleted", b"reclaimed"):
        nearby.store.put(key_of(content), content)
    nearby.store.delete(key_of(b"deleted"))
    assert nearby.store.reclaim(key_of(b"reclaimed"), 2**40) == len(b"reclaimed")
    assert nearby.held() == set()


def test_whoever_checks_the_store_is_told_of_the_remote_one(nearby: Nearby) -> None:
    nearby.store.put(key_of(SMALL), SMALL)
    nearby.remote.delete(key_of(SMALL))
    assert nearby.held() == {key_of(SMALL)}
    with pytest.raises(Missing):
        nearby.store.open(key_of(SMALL))


@BOTH
def test_without_room_the_remote_store_is_read_past_the_disk(
    tmp_path: Path, content: bytes
) -> None:
    nearby = Nearby(tmp_path, room=lambda _: False)
    key = key_of(content)
    nearby.only_remote(key, content)
    assert nearby.read(key, len(content)) == content
    assert nearby.read(key, len(content), 2, 5) == content[2:5]
    assert nearby.held() == set()
    nearby.close()


@BOTH
def test_a_folder_that_cannot_be_used_disturbs_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").touch()
    nearby = Nearby(tmp_path, copies=tmp_path / "file" / "copies")
    key = key_of(content)
    nearby.store.put(key, content)
    assert nearby.read(key, len(content)) == content
    nearby.close()


def test_what_is_large_for_the_budget_is_not_copied(tmp_path: Path) -> None:
    nearby = Nearby(tmp_path, budget=8 * len(LARGE) - 8)
    key = key_of(LARGE)
    nearby.store.put(key, LARGE)
    assert nearby.read(key, len(LARGE)) == LARGE
    assert nearby.held() == set()
    assert nearby.store.totals() == {"hits": 0, "copies": 0, "past": 1}
    nearby.close()


def test_processes_of_a_node_share_their_copies(tmp_path: Path) -> None:
    one, other = Nearby(tmp_path), Nearby(tmp_path)
    key = key_of(LARGE)
    one.store.put(key, LARGE)
    assert other.read(key, len(LARGE)) == LARGE
    assert other.remote.reads == []
    one.close()
    other.close()


def test_a_disk_that_fills_up_amid_a_copy_disturbs_no_reader(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from tests.service.nearby.places import Nearby
from virtreg.testing.stores import key_of, pattern
content = pattern(3_000_000)
nearby = Nearby(Path(sys.argv[1]))
nearby.only_remote(key_of(content), content)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
assert nearby.read(key_of(content), len(content)) == content
assert nearby.read(key_of(content), len(content), 5, 2_000_000) == content[5:2_000_000]
assert nearby.held() == set()
nearby.close()
"""
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=root)


def test_what_ends_amid_a_copy_lets_its_readers_go_on(nearby: Nearby) -> None:
    key = key_of(LARGE)
    nearby.only_remote(key, LARGE)
    nearby.remote.going.clear()
    with ThreadPoolExecutor(1) as threads, nearby.store.open_known(key, len(LARGE)) as body:
        pieces = body.read()
        nearby.store.begin(key, len(LARGE)).close()  # type: ignore[union-attr]
        nearby.store.close()
        nearby.remote.going.set()
        assert threads.submit(lambda: b"".join(pieces)).result() == LARGE


def test_while_the_remote_store_is_left_alone_copies_are_served_and_nothing_else(
    nearby: Nearby,
) -> None:
    nearby.store.put(key_of(SMALL), SMALL)
    (nearby.remote.folder / "blobs").rename(nearby.remote.folder / "gone")
    (nearby.remote.folder / "blobs").touch()
    while nearby.store.available():
        with pytest.raises(StorageError):
            nearby.read(key_of(LARGE), len(LARGE))
    assert nearby.read(key_of(SMALL), len(SMALL)) == SMALL
    with pytest.raises(StorageError, match="has not answered lately"):
        nearby.store.open_known(key_of(LARGE), len(LARGE))

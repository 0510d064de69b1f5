"""The contract of a CacheStore, as tests. Subclass the suite and say how to make one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from virtreg.core.layout import BLOBS, NOTES, blob_key
from virtreg.errors import Missing, StorageError
from virtreg.protocols import (
    Body,
    CacheStore,
    Defers,
    HasFile,
    Notes,
    OpensKnown,
    Reclaims,
    Spools,
    TellsHealth,
)

PIECE = 256 * 1024


def key_of(content: bytes) -> str:
    """The key these bytes are kept under."""
    return blob_key(hashlib.sha256(content).hexdigest())


def pattern(size: int) -> bytes:
    """``size`` bytes in which every offset is recognisable."""
    numbered = b"".join(b"%08x" % at for at in range(0, size, 8))
    return numbered[:size]


class CacheStoreSuite:
    """Subclass as ``class TestMyStore(CacheStoreSuite)`` and override :meth:`make_store`."""

    big = 5 * 1024 * 1024 + 17
    """Size of the large blob; more than one request's worth where a store reads in requests."""

    def make_store(self, folder: Path) -> CacheStore:
        """A new, empty store; ``folder`` is empty and the test's own."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> CacheStore:
        folder = tmp_path / "store"
        folder.mkdir()
        return self.make_store(folder)

    @pytest.fixture
    def body(self, store: CacheStore) -> Iterator[Body]:
        content = pattern(self.big)
        store.put(key_of(content), content)
        with store.open(key_of(content)) as body:
            yield body

    def test_bytes_come_back_as_they_were_put(self, store: CacheStore) -> None:
        for content in (b"", b"x", pattern(PIECE), pattern(PIECE + 1)):
            store.put(key_of(content), content)
            with store.open(key_of(content)) as body:
                assert body.size == len(content)
                assert b"".join(body.read()) == content

    def test_a_file_comes_back_as_it_was_put(self, store: CacheStore, tmp_path: Path) -> None:
        content = pattern(self.big)
        spooled = tmp_path / "spooled"
        spooled.write_bytes(content)
        with spooled.open("rb") as still_open:
            store.put(key_of(content), spooled)
            assert still_open.read() == content
        with store.open(key_of(content)) as body:
            assert b"".join(body.read()) == content

    def test_an_empty_file_can_be_put(self, store: CacheStore, tmp_path: Path) -> None:
        spooled = tmp_path / "spooled"
        spooled.touch()
        store.put(key_of(b""), spooled)
        with store.open(key_of(b"")) as body:
            assert body.size == 0
            assert list(body.read()) == []

    def test_only_what_is_old_enough_is_reclaimed(self, store: CacheStore) -> None:
        if not isinstance(store, Reclaims):
            pytest.skip("this store does not reclaim")
        key = key_of(b"old")
        store.put(key, b"old")
        ((_, _, modified_at),) = store.list()
        assert store.reclaim(key, modified_at - 60) is None
        assert [found for found, _, _ in store.list()] == [key]
        assert store.reclaim(key, modified_at + 60) == 3
        assert list(store.list()) == []
        assert store.reclaim(key, modified_at + 60) is None
        with pytest.raises(Missing):
            store.open(key)

    def test_putting_again_changes_nothing_but_the_time(self, store: CacheStore) -> None:
        key = key_of(b"twice")
        store.put(key, b"twice")
        (_, _, before) = next(iter(store.list()))
        store.put(key, b"twice")
        assert [(found, size) for found, size, _ in store.list()] == [(key, 5)]
        (_, _, after) = next(iter(store.list()))
        assert after >= before

    def test_a_blob_never_put_is_missing(self, store: CacheStore) -> None:
        with pytest.raises(Missing, match=key_of(b"never")):
            store.open(key_of(b"never"))

    def test_putting_a_file_that_is_gone_fails_and_publishes_nothing(
        self, store: CacheStore, tmp_path: Path
    ) -> None:
        with pytest.raises(StorageError):
            store.put(key_of(b"gone"), tmp_path / "gone")
        with pytest.raises(Missing):
            store.open(key_of(b"gone"))

    def test_a_deleted_blob_is_missing_and_deleting_is_repeatable(self, store: CacheStore) -> None:
        key = key_of(b"short-lived")
        store.put(key, b"short-lived")
        store.delete(key)
        store.delete(key)
        with pytest.raises(Missing):
            store.open(key)
        assert list(store.list()) == []

    def test_an_open_body_outlives_its_blob_or_says_so(self, store: CacheStore) -> None:
        content = pattern(PIECE * 3)
        store.put(key_of(content), content)
        with store.open(key_of(content)) as body:
            store.delete(key_of(content))
            try:
                read = b"".join(body.read())
            except StorageError:
                return
            assert read == content

    @pytest.mark.parametrize(
        ("start", "stop"),
        [
            (0, None),
            (0, 0),
            (0, 1),
            (7, 8),
            (PIECE - 1, PIECE + 1),
            (PIECE, 2 * PIECE),
            (4 * 1024 * 1024 - 3, 4 * 1024 * 1024 + 3),
            (5 * 1024 * 1024, None),
            (5 * 1024 * 1024, 1 << 40),
            (1 << 40, None),
            (9, 8),
        ],
    )
    def test_any_part_can_be_read(self, body: Body, start: int, stop: int | None) -> None:
        pieces = list(body.read(start, stop))
        assert b"".join(pieces) == pattern(self.big)[start:stop]
        assert all(0 < len(piece) <= PIECE for piece in pieces)

    def test_a_read_given_up_does_not_disturb_the_next(self, body: Body) -> None:
        first = iter(body.read())
        next(first)
        assert b"".join(body.read(3, 30)) == pattern(self.big)[3:30]
        assert next(first) == pattern(self.big)[PIECE : 2 * PIECE]

    def test_many_threads_read_one_body(self, body: Body) -> None:
        whole = pattern(self.big)
        start = Barrier(4)

        def read(number: int) -> bool:
            start.wait()
            return b"".join(body.read(number * 1000)) == whole[number * 1000 :]

        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(read, range(4)))

    def test_many_threads_put_one_key(self, store: CacheStore, tmp_path: Path) -> None:
        content = pattern(PIECE + 5)
        key = key_of(content)
        start = Barrier(4)

        def put(number: int) -> bytes:
            spooled = tmp_path / f"spooled-{number}"
            spooled.write_bytes(content)
            start.wait()
            store.put(key, spooled)
            with store.open(key) as body:
                return b"".join(body.read())

        with ThreadPoolExecutor(4) as threads:
            assert set(threads.map(put, range(4))) == {content}
        assert [(found, size) for found, size, _ in store.list()] == [(key, len(content))]

    def test_the_list_is_every_blob_under_the_prefix(self, store: CacheStore) -> None:
        contents = [b"%d" % number for number in range(12)]
        for content in contents:
            store.put(key_of(content), content)
        keys = {key_of(content): len(content) for content in contents}
        assert {key: size for key, size, _ in store.list()} == keys
        assert {key for key, _, _ in store.list(BLOBS)} == set(keys)
        for prefix in (BLOBS + "6", BLOBS + key_of(b"1")[13:15], key_of(b"1")[:20], key_of(b"1")):
            expected = {key for key in keys if key.startswith(prefix)}
            assert {key for key, _, _ in store.list(prefix)} == expected
        assert list(store.list("elsewhere/")) == []

    @pytest.mark.parametrize(
        "key",
        ["", "x", "../x", "/etc/passwd", BLOBS, "blobs/sha256/ab/../../../x", key_of(b"1") + "/"],
    )
    def test_a_key_the_layout_cannot_make_is_refused(self, store: CacheStore, key: str) -> None:
        for use in (store.open, store.delete):
            with pytest.raises(StorageError, match="not a blob key"):
                use(key)
        with pytest.raises(StorageError, match="not a blob key"):
            store.put(key, b"content")
        assert list(store.list()) == []

    def test_the_file_of_a_body_is_the_blob_from_its_start(self, store: CacheStore) -> None:
        content = pattern(PIECE * 2)
        store.put(key_of(content), content)
        with store.open(key_of(content)) as body:
            if not isinstance(body, HasFile):
                pytest.skip("this store's bodies are not files")
            with body.file() as first, body.file() as second:
                assert first.read(10) == second.read(10) == content[:10]
                assert first.read() == content[10:]

    def test_what_is_known_is_opened_as_anything_is(self, store: CacheStore) -> None:
        if not isinstance(store, OpensKnown):
            pytest.skip("this store always looks")
        for content in (b"", b"known", pattern(self.big)):
            store.put(key_of(content), content)
            with store.open_known(key_of(content), len(content)) as body:
                assert body.size == len(content)
                assert b"".join(body.read(1, 3)) == content[1:3]
                assert b"".join(body.read()) == content
        with pytest.raises(StorageError, match="not a blob key"):
            store.open_known("x", 1)

    @pytest.mark.parametrize("size", [5, 3_000_000])
    def test_what_is_known_and_gone_is_missing_by_the_first_read(
        self, store: CacheStore, size: int
    ) -> None:
        if not isinstance(store, OpensKnown):
            pytest.skip("this store always looks")
        content = pattern(size)
        store.put(key_of(content), content)
        store.delete(key_of(content))

        def read() -> None:
            with store.open_known(key_of(content), size) as body:
                assert isinstance(body, Defers)
                assert body.deferred()
                list(body.read())

        with pytest.raises(Missing):
            read()

    def test_a_store_that_works_says_so(self, store: CacheStore) -> None:
        if not isinstance(store, TellsHealth):
            pytest.skip("this store does not know")
        with pytest.raises(Missing):
            store.open(key_of(b"never"))
        assert store.available()

    def test_a_spooled_file_can_be_put(self, store: CacheStore) -> None:
        if not isinstance(store, Spools):
            pytest.skip("this store has no spool")
        spooled = store.spool() / "download"
        spooled.write_bytes(b"spooled")
        store.put(key_of(b"spooled"), spooled)
        with store.open(key_of(b"spooled")) as body:
            assert b"".join(body.read()) == b"spooled"

    def test_notes_are_kept_beside_the_blobs(self, store: CacheStore) -> None:
        notes = notes_of(store)
        assert list(notes.notes()) == []
        for name in ("b", "a-1.json.gz", "0.x"):
            notes.write_note(NOTES + name, name.encode())
        notes.write_note(NOTES + "b", pattern(PIECE + 1))
        notes.write_note(NOTES + "empty", b"")
        assert list(notes.notes()) == [
            NOTES + name for name in ("0.x", "a-1.json.gz", "b", "empty")
        ]
        assert notes.read_note(NOTES + "0.x") == b"0.x"
        assert notes.read_note(NOTES + "b") == pattern(PIECE + 1)
        assert notes.read_note(NOTES + "empty") == b""
        assert list(store.list()) == [], "a note is no blob"
        notes.remove_note(NOTES + "b")
        notes.remove_note(NOTES + "b")
        assert NOTES + "b" not in notes.notes()
        with pytest.raises(Missing):
            notes.read_note(NOTES + "b")

    @pytest.mark.parametrize("name", ["", "x", NOTES, NOTES + "../x", NOTES + "a/b", BLOBS + "x"])
    def test_a_note_has_no_other_name(self, store: CacheStore, name: str) -> None:
        notes = notes_of(store)
        for use in (notes.read_note, notes.remove_note):
            with pytest.raises(StorageError, match="not the name of a note"):
                use(name)
        with pytest.raises(StorageError, match="not the name of a note"):
            notes.write_note(name, b"content")
        assert list(notes.notes()) == []


def notes_of(store: CacheStore) -> Notes:
    if not isinstance(store, Notes):
        pytest.skip("this store keeps no notes")
    return store

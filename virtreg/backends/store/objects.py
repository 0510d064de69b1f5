"""The store in any remote place fsspec reaches, such as a bucket."""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from virtreg.backends.store.body import bounds, pieces
from virtreg.backends.store.faults import require_key, require_note
from virtreg.backends.store.filesystem import (
    Filesystem,
    modified_at,
    open_filesystem,
    scheme_of,
    upload_options,
)
from virtreg.core.layout import BLOBS, NOTES, is_note, sha256_of
from virtreg.errors import Missing, StorageError
from virtreg.protocols import Body

FETCH = 4 * 1024 * 1024
"""The most bytes one ranged request asks for, and one open read keeps in memory."""


class ObjectStore:
    """A CacheStore, with Reclaims and Notes, at an fsspec URL such as ``s3://bucket/prefix``.

    ``options`` are the filesystem's own arguments; leave credentials out of them to use those of
    the environment, which are renewed. The filesystem is opened on first use, again in each
    process: fsspec's event loop does not survive a fork. A crash during a large upload leaves an
    unfinished multipart upload: give the bucket a lifecycle rule.

    Raises ConfigError for a URL that no store can be built on.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self._scheme = scheme_of(url)
        self._url = url
        self._options = options
        self._upload = upload_options(url)
        self._lock = Lock()
        self._opened: tuple[int, Filesystem, str] | None = None
        self._read = _Read()

    def __repr__(self) -> str:
        return f"ObjectStore({self._scheme}://…)"

    def open(self, key: str) -> ObjectBody:
        require_key(key)
        with _remote_errors(f"open {key}"):
            filesystem, base = self._filesystem()
            try:
                found = filesystem.info(f"{base}/{key}")
            except FileNotFoundError:
                found = {"type": "nothing"}
        if found["type"] != "file":
            raise Missing(f"the store does not hold {key}")
        return ObjectBody(filesystem, f"{base}/{key}", key, int(found["size"]), self._read)

    def put(self, key: str, content: Path | bytes) -> None:
        require_key(key)
        with _remote_errors(f"put {key}"):
            filesystem, base = self._filesystem()
            if isinstance(content, bytes):
                filesystem.pipe_file(f"{base}/{key}", content, **self._upload)
            else:
                filesystem.put_file(str(content), f"{base}/{key}", **self._upload)

    def delete(self, key: str) -> None:
        require_key(key)
        with _remote_errors(f"delete {key}"):
            filesystem, base = self._filesystem()
            try:
                filesystem.rm_file(f"{base}/{key}")
            except FileNotFoundError:
                return

    def reclaim(self, key: str, before: float) -> int | None:
        """Nor is anything deleted that this process reads: it could not read on."""
        require_key(key)
        if key in self._read:
            return None
        with _remote_errors(f"delete {key}"):
            filesystem, base = self._filesystem()
            try:
                found = filesystem.info(f"{base}/{key}")
                if modified_at(filesystem, found) >= before:
                    return None
                filesystem.rm_file(f"{base}/{key}")
            except FileNotFoundError:
                return None
        return int(found["size"])

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        with _remote_errors("list blobs"):
            filesystem, base = self._filesystem()
            for shard in _ls(filesystem, f"{base}/{BLOBS}".rstrip("/"), "directory"):
                start = f"{BLOBS}{_last(shard)}/"
                if not start.startswith(prefix[: len(start)]):
                    continue
                for found in _ls(filesystem, f"{base}/{start}".rstrip("/"), "file"):
                    key = start + _last(found)
                    if key.startswith(prefix) and sha256_of(key) is not None:
                        yield key, int(found["size"]), modified_at(filesystem, found)

    def write_note(self, name: str, content: bytes) -> None:
        require_note(name)
        with _remote_errors(f"write {name}"):
            filesystem, base = self._filesystem()
            filesystem.pipe_file(f"{base}/{name}", content, **self._upload)

    def read_note(self, name: str) -> bytes:
        require_note(name)
        with _remote_errors(f"read {name}"):
            filesystem, base = self._filesystem()
            try:
                size = int(filesystem.info(f"{base}/{name}")["size"])
                content = filesystem.cat_file(f"{base}/{name}", start=0, end=size)
            except FileNotFoundError:
                raise Missing(f"there is no note {name}") from None
            if len(content) != size:
                raise StorageError(f"cannot read {name}: the store sent too few bytes")
            return content

    def notes(self) -> Sequence[str]:
        with _remote_errors("list notes"):
            filesystem, base = self._filesystem()
            found = _ls(filesystem, f"{base}/{NOTES}".rstrip("/"), "file")
            return sorted(name for each in found if is_note(name := NOTES + _last(each)))

    def remove_note(self, name: str) -> None:
        require_note(name)
        with _remote_errors(f"remove {name}"):
            filesystem, base = self._filesystem()
            try:
                filesystem.rm_file(f"{base}/{name}")
            except FileNotFoundError:
                return

    def _filesystem(self) -> tuple[Filesystem, str]:
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            with self._lock:
                opened = self._opened
                if opened is None or opened[0] != os.getpid():
                    filesystem, base = open_filesystem(self._url, self._options)
                    opened = self._opened = (os.getpid(), filesystem, base)
        return opened[1], opened[2]


class _Read:
    """Which keys are being read. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bodies: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        return key in self._bodies

    def begin(self, key: str) -> None:
        with self._lock:
            self._bodies[key] += 1

    def end(self, key: str) -> None:
        with self._lock:
            self._bodies[key] -= 1
            if not self._bodies[key]:
                del self._bodies[key]


class ObjectBody(Body):
    """A remote blob, read in ranged requests as far as somebody reads."""

    def __init__(self, filesystem: Filesystem, path: str, key: str, size: int, read: _Read) -> None:
        read.begin(key)
        self._ended = weakref.finalize(self, read.end, key)
        self._filesystem = filesystem
        self._path = path
        self._key = key
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        at, end = bounds(self._size, start, stop)
        while at < end:
            upto = min(at + FETCH, end)
            with _remote_errors(f"read {self._key}"):
                content = self._filesystem.cat_file(self._path, start=at, end=upto)
            if len(content) != upto - at:
                raise StorageError(f"cannot read {self._key}: the store sent too few bytes")
            yield from pieces(content, 0, len(content))
            at = upto

    def close(self) -> None:
        self._ended()


@contextmanager
def _remote_errors(action: str) -> Iterator[None]:
    # Only the kind of error is told: what remote services say may hold signed URLs.
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        raise StorageError(f"cannot {action}: {type(error).__name__}") from error


def _ls(filesystem: Filesystem, path: str, kind: str) -> list[dict[str, Any]]:
    try:
        return [found for found in filesystem.ls(path, detail=True) if found["type"] == kind]
    except FileNotFoundError:
        return []


def _last(found: dict[str, Any]) -> str:
    return str(found["name"]).rstrip("/").rpartition("/")[2]

"""The store in a local folder."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from virtreg.backends.store.disk import publish
from virtreg.backends.store.faults import disk_errors, require_key
from virtreg.backends.store.files import FileBody
from virtreg.backends.store.notes import FolderNotes
from virtreg.backends.store.spool import Spool
from virtreg.core.layout import BLOBS, sha256_of


class LocalStore(FolderNotes):
    """A CacheStore in a folder that many processes of one host may share; with Spools, Reclaims,
    Notes.

    Nothing is touched before the first use; folders are made on demand, for their owner alone. A
    blob appears by rename, after its bytes are on disk, so a crash leaves either the whole blob or
    none.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._spool = Spool(self._root / "spool")

    def open(self, key: str) -> FileBody:
        require_key(key)
        return FileBody(self._root / key, key)

    def put(self, key: str, content: Path | bytes) -> None:
        require_key(key)
        target = self._root / key
        with disk_errors(f"put {key}"):
            if isinstance(content, bytes):
                self._put_stream(target, io.BytesIO(content))
                return
            try:
                publish(content, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                with content.open("rb") as file:
                    self._put_stream(target, file)

    def touch(self, key: str) -> None:
        """Renew a blob's ``modified_at``, as putting it again would; no error when absent."""
        require_key(key)
        with disk_errors(f"touch {key}"), suppress(FileNotFoundError):
            os.utime(self._root / key)

    def delete(self, key: str) -> None:
        require_key(key)
        with disk_errors(f"delete {key}"):
            (self._root / key).unlink(missing_ok=True)

    def reclaim(self, key: str, before: float) -> int | None:
        require_key(key)
        path = self._root / key
        with disk_errors(f"delete {key}"):
            try:
                status = path.stat()
                if status.st_mtime >= before:
                    return None
                path.unlink()
            except FileNotFoundError:
                return None
        return status.st_size

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        with disk_errors("list blobs"):
            for shard in _folders(self._root / BLOBS):
                start = f"{BLOBS}{shard.name}/"
                if start.startswith(prefix[: len(start)]):
                    yield from _blobs(shard, start, prefix)

    def spool(self) -> Path:
        """A folder of this process alone, on the store's filesystem. What is left in it when the
        process ends is swept by the next process that asks for its own."""
        with disk_errors("make a spool folder"):
            return self._spool.folder()

    def close(self) -> None:
        """Give up the spool folder. The store stays usable and takes another when needed."""
        self._spool.close()

    def _put_stream(self, target: Path, content: BinaryIO) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._spool.folder())
        try:
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(content, file, 1024 * 1024)
            publish(Path(name), target)
        finally:
            Path(name).unlink(missing_ok=True)


def _folders(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except FileNotFoundError:
        return


def _blobs(shard: Path, start: str, prefix: str) -> Iterator[tuple[str, int, float]]:
    with os.scandir(shard) as entries:
        for entry in entries:
            key = start + entry.name
            if not key.startswith(prefix) or sha256_of(key) is None:
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue
            yield key, status.st_size, status.st_mtime

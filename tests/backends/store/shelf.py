"""A small real filesystem for fsspec: whole files in a folder, published by rename."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
from fsspec.spec import AbstractFileSystem

opened = 0
"""How many filesystems this process, and those it was forked from, have opened."""


# fsspec is not typed.
class ShelfFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """``shelf:///folder``. A directory is where files are, as in a bucket."""

    protocol = "shelf"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        global opened  # noqa: PLW0603
        opened += 1
        super().__init__(*args, **kwargs)

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        place = Path(self._strip_protocol(path))
        status = place.stat()
        kind = "directory" if place.is_dir() else "file"
        return {"name": str(place), "type": kind, "size": status.st_size, "mtime": status.st_mtime}

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        places = sorted(Path(self._strip_protocol(path)).iterdir())
        return [self.info(str(place)) if detail else str(place) for place in places]

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        with Path(path).open("rb") as file:
            file.seek(start or 0)
            return file.read(-1 if end is None else end - (start or 0))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(f".{id(value)}")
        unfinished.write_bytes(value)
        unfinished.replace(place)

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def rm_file(self, path: str) -> None:
        Path(path).unlink()


def register() -> None:
    """Make ``shelf://`` known to fsspec in this process."""
    fsspec.register_implementation("shelf", ShelfFileSystem, clobber=True)

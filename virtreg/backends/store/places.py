"""What a store asks of a service far away, and any filesystem of fsspec's as such a service."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import frozen
from fsspec.asyn import sync

FETCH: Final = 4 * 1024 * 1024
"""The most bytes one ranged request asks for where bodies are not streamed."""


@frozen
class Limits:
    """How long exchanges may take, in seconds."""

    patience: float = 10.0
    """A small one, trying again included; and how long a body may stay silent."""
    part: float = 20.0
    """A part of an upload."""
    completion: float = 60.0
    """Putting the parts of an upload together."""
    opening: float = 20.0
    """Getting credentials, and ready to ask."""
    listing: float = 60.0
    """The list of one folder."""


@frozen
class Found:
    """An object, or what looks like a folder. ``modified_at``: seconds since the epoch."""

    name: str
    size: int
    modified_at: float


class Place(Protocol):
    """Objects under one prefix; a path is relative to it. Thread-safe.

    Every call ends within its Limits, and raises whatever the service's library raises:
    FileNotFoundError for an object that is not there, TimeoutError for an exchange that took too
    long.
    """

    def find(self, path: str) -> Found:
        """One exchange, and no list."""
        ...

    def read(self, path: str, start: int, stop: int, size: int) -> Generator[bytes, None, None]:
        """The bytes ``start <= i < stop`` of an object of ``size`` bytes, in pieces that are
        never empty. Ends early when the object has another size."""
        ...

    def put(self, path: str, content: Path | bytes) -> None:
        """All or nothing; in bounded memory."""
        ...

    def remove(self, path: str) -> None:
        """May raise FileNotFoundError where it is not there."""
        ...

    def folders(self, path: str) -> Sequence[str]:
        """Names of what looks like folders in one; none of one that is not there."""
        ...

    def objects(self, path: str) -> Sequence[Found]:
        """What is directly in a folder; ``name`` without the folder."""
        ...

    def link(self, path: str, media_type: str, seconds: int) -> str | None:
        """A URL to read an object by, made without asking anybody; None where there are none. Who
        follows it with a browser downloads, and no shared cache keeps it."""
        ...


class AnyPlace:
    """The protocol Place, by what every filesystem of fsspec's has.

    One that is not asynchronous takes as long as it takes: its own limits are all there are.
    """

    def __init__(self, filesystem: Any, base: str, limits: Limits) -> None:
        self._filesystem = filesystem
        self._base = base
        self._limits = limits

    def find(self, path: str) -> Found:
        return self._found(self._told(path))

    def read(self, path: str, start: int, stop: int, size: int) -> Generator[bytes, None, None]:
        at = start
        while at < stop:
            upto = min(at + FETCH, stop)
            content = self._call("cat_file", f"{self._base}/{path}", start=at, end=upto)
            if len(content) != upto - at:
                if self.find(path).size != size:
                    return
                raise TimeoutError("the body breaks off")
            yield content
            at = upto

    def put(self, path: str, content: Path | bytes) -> None:
        target = f"{self._base}/{path}"
        if isinstance(content, bytes):
            self._call("pipe_file", target, content, patience=self._limits.part)
            return
        parts = content.stat().st_size // FETCH + 1
        self._call("put_file", str(content), target, patience=self._limits.part * parts)

    def remove(self, path: str) -> None:
        self._call("rm_file", f"{self._base}/{path}")

    def folders(self, path: str) -> Sequence[str]:
        return [_last(told["name"]) for told in self._ls(path) if told["type"] == "directory"]

    def objects(self, path: str) -> Sequence[Found]:
        return [self._found(told) for told in self._ls(path) if told["type"] == "file"]

    def link(self, path: str, media_type: str, seconds: int) -> str | None:  # noqa: ARG002
        return None

    def _told(self, path: str) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self._call("info", f"{self._base}/{path}")
        if told["type"] != "file":
            raise FileNotFoundError(path)
        return told

    def _ls(self, path: str) -> Sequence[Mapping[str, Any]]:
        try:
            found: Sequence[Mapping[str, Any]] = self._call(
                "ls", f"{self._base}/{path}", detail=True, patience=self._limits.listing
            )
        except FileNotFoundError:
            return ()
        return found

    def _found(self, told: Mapping[str, Any]) -> Found:
        at = told.get("LastModified", told.get("mtime"))
        if not isinstance(at, (int, float, datetime)):
            at = self._call("modified", told["name"])
        seconds = at.timestamp() if isinstance(at, datetime) else float(at)
        return Found(_last(told["name"]), int(told["size"]), seconds)

    def _call(self, name: str, *args: Any, patience: float = 0.0, **more: Any) -> Any:
        filesystem = self._filesystem
        awaited: Callable[..., Any] | None = None
        if getattr(filesystem, "async_impl", False):
            awaited = getattr(filesystem, f"_{name}", None)
        if awaited is None:
            return getattr(filesystem, name)(*args, **more)
        return sync(
            filesystem.loop, awaited, *args, timeout=patience or self._limits.patience, **more
        )


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]

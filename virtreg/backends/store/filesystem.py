"""The part of fsspec that is used, with types, and the filesystems it may be."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, cast

import fsspec
from fsspec.core import url_to_fs

from virtreg.errors import ConfigError

_REFUSED = {
    "file": "is not atomic there; give a plain path instead of a file: URL",
    "local": "is not atomic there; give a plain path instead of a local: URL",
    "memory": "is not safe under threads there; use MemoryStore",
}
_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"use_listings_cache": False}}
_UPLOAD: dict[str, dict[str, Any]] = {
    # Bounds the memory of one upload to 4 parts of 16 MiB; 10,000 parts make 156 GiB.
    "s3": {"chunksize": 16 * 1024 * 1024, "max_concurrency": 4},
}


class Filesystem(Protocol):
    """What :class:`virtreg.backends.store.objects.ObjectStore` calls, as fsspec has it."""

    def info(self, path: str) -> dict[str, Any]: ...

    def ls(self, path: str, detail: bool = True) -> list[dict[str, Any]]: ...

    def cat_file(self, path: str, *, start: int, end: int) -> bytes: ...

    def pipe_file(self, path: str, value: bytes, **upload: Any) -> None: ...

    def put_file(self, lpath: str, rpath: str, **upload: Any) -> None: ...

    def rm_file(self, path: str) -> None: ...

    def modified(self, path: str) -> datetime: ...


def scheme_of(url: str) -> str:
    """The URL's scheme. Raises ConfigError when no store can be built on it."""
    scheme, separator, _ = url.partition("://")
    if not separator or "::" in url:
        raise ConfigError("the store's URL must be <scheme>://<place>, without '::'")
    if scheme in _REFUSED:
        raise ConfigError(f"a store at {scheme}:// cannot be used: a write {_REFUSED[scheme]}")
    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        hint = "; install virtreg[s3]" if scheme == "s3" else ""
        raise ConfigError(f"no filesystem for a store at {scheme}://{hint}") from error
    return scheme


def open_filesystem(url: str, options: dict[str, Any]) -> tuple[Filesystem, str]:
    """A filesystem of its own for ``url``, and the path in it that the URL names.

    fsspec's cache of instances is avoided: it keeps secrets and grows with threads.
    """
    merged = {**_OPTIONS.get(scheme_of(url), {}), **options, "skip_instance_cache": True}
    filesystem, path = url_to_fs(url, **merged)
    return cast("Filesystem", filesystem), path.rstrip("/")


def upload_options(url: str) -> dict[str, Any]:
    """Arguments of ``put_file`` and ``pipe_file`` that bound their memory."""
    return _UPLOAD.get(scheme_of(url), {})


def modified_at(filesystem: Filesystem, found: dict[str, Any]) -> float:
    """Seconds since the epoch, from a listing where it says, else asked for."""
    told = found.get("LastModified", found.get("mtime"))
    if isinstance(told, (int, float)):
        return float(told)
    if not isinstance(told, datetime):
        told = filesystem.modified(found["name"])
    return told.timestamp()

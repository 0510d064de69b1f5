"""The places in fsspec's world that can hold a store, and opening them."""

from __future__ import annotations

from typing import Any, Final

import fsspec
from fsspec.core import url_to_fs

from virtreg.backends.store.places import AnyPlace, Limits, Place
from virtreg.errors import ConfigError

_REFUSED: Final = {
    "file": "is not atomic there; give a plain path instead of a file: URL",
    "local": "is not atomic there; give a plain path instead of a local: URL",
    "memory": "is not safe under threads there; use MemoryStore",
}
_S3: Final = frozenset({"s3", "s3a"})
_EXTRAS: Final = {
    "s3": "install virtreg[s3]",
    "s3a": "install virtreg[s3]",
    "gs": "install gcsfs",
    "gcs": "install gcsfs",
    "abfs": "install adlfs",
    "abfss": "install adlfs",
    "az": "install adlfs",
}


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
        hint = f"; {_EXTRAS[scheme]}" if scheme in _EXTRAS else ""
        raise ConfigError(f"no filesystem for a store at {scheme}://{hint}") from error
    return scheme


def links(scheme: str) -> bool:
    """Whether clients can be given links to what is kept there."""
    return scheme in _S3


def open_place(url: str, options: dict[str, Any], limits: Limits) -> Place:
    """What ``url`` names, by a filesystem of its own.

    fsspec's cache of instances is avoided: it keeps secrets and grows with threads.
    """
    if scheme_of(url) not in _S3:
        filesystem, path = url_to_fs(
            url, **{"use_listings_cache": False, **options, "skip_instance_cache": True}
        )
        return AnyPlace(filesystem, path.rstrip("/"), limits)
    from virtreg.backends.store.s3 import OPTIONS, S3Place

    filesystem, path = url_to_fs(url, **{**OPTIONS, **options, "skip_instance_cache": True})
    return S3Place(filesystem, path.rstrip("/"), limits)

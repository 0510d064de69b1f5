"""What a configuration file says, parsed and checked."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from virtreg.model import RegistrySpec

MAX_UPSTREAMS = 20
"""Upstreams one registry may list."""

MEBIBYTE = 1024 * 1024


@frozen
class ServerConfig:
    """``[server]``: how the bundled server listens. Other WSGI servers read none of it but
    ``realm``, ``access_log``, ``hot_bytes``, ``offline`` and ``image_prefix``."""

    host: str = "127.0.0.1"
    """Name or address to listen on; ``0.0.0.0`` and ``::`` are every address of the machine."""
    port: int = 8081
    """0 takes a free port."""
    threads: int = 256
    """Requests answered at the same time; a running transfer holds one."""
    access_log: bool | None = None
    """One JSON line per request. None: on, unless standard output is a terminal."""
    realm: str = "GitLab Virtual Registry"
    """Named in the ``WWW-Authenticate`` challenge."""
    graceful_timeout: int = 60
    """Seconds running transfers get to finish after SIGTERM."""
    hot_bytes: int = 64 * MEBIBYTE
    """Memory for answers kept ready."""
    offline: bool = False
    """No upstream is ever asked: what is cached is served, whatever its age."""
    image_prefix: str = "virtual_registries/container"
    """Stands before a registry's id in the names of images, as GitLab documents it."""


@frozen
class StorageConfig:
    """``[storage]``: where the cache lives."""

    path: Path = Path("virtreg-data")
    """Local folder; relative to the configuration file's folder. Holds the entry index."""
    url: str | None = None
    """fsspec URL for the blobs, such as ``s3://bucket/prefix``; None keeps them in ``path``."""


@frozen
class Config:
    """A whole configuration."""

    registries: tuple[RegistrySpec, ...]
    """By position in the file."""
    server: ServerConfig = field(factory=ServerConfig)
    storage: StorageConfig = field(factory=StorageConfig)

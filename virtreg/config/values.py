"""What a configuration file says, parsed and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

from virtreg.managed import MOST_REGISTRIES, MOST_RULES, MOST_UPSTREAMS
from virtreg.model import RegistrySpec, Secret

MAX_UPSTREAMS = 20
"""Upstreams one registry may list."""

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@frozen
class ServerConfig:
    """``[server]``: how the bundled server listens. Under other WSGI servers ``host``, ``port``,
    ``workers`` and ``graceful_timeout`` mean nothing, and ``threads`` says how many those have."""

    host: str = "127.0.0.1"
    """Name or address to listen on; ``0.0.0.0`` and ``::`` are every address of the machine."""
    port: int = 8081
    """0 takes a free port."""
    threads: int = 256
    """Requests answered at the same time by each process; a running transfer holds one."""
    access_log: bool | None = None
    """One JSON line per request. None: on, unless standard output is a terminal."""
    realm: str = "GitLab Virtual Registry"
    """Named in the ``WWW-Authenticate`` challenge of HTTP Basic."""
    graceful_timeout: int = 60
    """Seconds running transfers get to finish after SIGTERM."""
    hot_bytes: int = 64 * MEBIBYTE
    """Memory for answers kept ready."""
    offline: bool = False
    """No upstream is ever asked: what is cached is served, whatever its age."""
    image_prefix: str = "virtual_registries/container"
    """Stands before a registry's id in the names of images, as GitLab documents it."""
    external_url: str = ""
    """Where clients reach the application, path included; empty: where each request says it came
    to."""
    allowed_hosts: tuple[str, ...] = ()
    """Values of ``Host`` that are answered, besides the hosts of registries; empty: decided by the
    address it listens on."""
    trusted_proxies: tuple[str, ...] = ()
    """CIDR ranges of reverse proxies whose ``X-Forwarded-For`` tells callers apart for
    ``[limits]``."""
    audit_log: Path | None = None
    """A file that gets one JSON line for each audit event, besides the logger ``virtreg.audit``;
    relative to the configuration file's folder."""
    workers: int = 1
    """Processes that answer. They share the data folder, and each has all the threads."""
    misses: int | None = None
    """Requests of each process that may wait for upstreams at the same time; beyond it they are
    told to come again, so that what is cached is served as before. None: three quarters of the
    threads."""


@frozen
class StorageConfig:
    """``[storage]``: where the cache lives."""

    path: Path = Path("virtreg-data")
    """Local folder of this node; relative to the configuration file's folder. Downloads wait there,
    and without ``database`` and ``url`` all there is is kept there."""
    url: str | None = None
    """fsspec URL for the blobs, such as ``s3://bucket/prefix``; None keeps them in ``path``."""
    database: Secret | None = None
    """URL of a PostgreSQL database for all that is known of the blobs, and of registries, users and
    tokens; None keeps it in ``path``."""
    connections: int = 16
    """Connections to the PostgreSQL database that each process holds at most."""
    upgrade: bool = True
    """Bring the PostgreSQL database up to date at the start; else ``virtreg db upgrade`` must."""
    cache_bytes: int = 10 * GIBIBYTE
    """Disk in ``path`` for copies of what ``url`` holds and is pulled often; 0 keeps none."""
    redirect: Literal["never", "whole", "always"] = "never"
    """Whether clients are sent to ``url`` itself for large blobs, by links that are good for a
    while: never, unless they ask for a range, or always."""
    when_unavailable: Literal["stream", "refuse"] = "stream"
    """What is done while ``url`` cannot be used: files are streamed from the upstreams and not
    kept, or refused."""


@frozen
class AccessConfig:
    """``[access]``: who may pull, and the tokens that clients of images are given for it."""

    enabled: bool = False
    """Whether the users, groups and tokens in the data folder decide. A host's own authenticator
    decides in their place, enabled or not."""
    token_path: str = "/jwt/auth"  # noqa: S105 - where tokens are, not one of them
    """Where the token service answers, below the URL of the application."""
    service: str = "virtreg"
    """Who the tokens are for: servers that share their keys but not their callers need different
    ones."""
    grant_seconds: int = 300
    """Life of a token of the token service."""


@frozen
class LimitsConfig:
    """``[limits]``: how much one caller may ask."""

    requests: int = 1000
    """Per address and per token, in each ``seconds``; 0 sets no limit."""
    seconds: int = 15
    failed_logins: int = 20
    """Per address and minute; 0 sets no limit."""


@frozen
class ManagementConfig:
    """``[management]``: what may be made by the management API. What is there already stays."""

    allow_private: tuple[str, ...] = ()
    """CIDR ranges outside the public internet that the upstreams made there may reach."""
    maven_registries: int = MOST_REGISTRIES["maven"]
    """In a group."""
    maven_upstreams: int = MOST_UPSTREAMS["maven"]
    """In a registry."""
    container_registries: int = MOST_REGISTRIES["container"]
    """In a group."""
    container_upstreams: int = MOST_UPSTREAMS["container"]
    """In a registry."""
    rules: int = MOST_RULES
    """Of an upstream."""


@frozen
class MetricsConfig:
    """``[metrics]``: figures for Prometheus at ``/-/metrics``."""

    enabled: bool = False
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """CIDR ranges of the peers that may read them."""


@frozen
class TracingConfig:
    """``[tracing]``: spans for OpenTelemetry."""

    endpoint: str = ""
    """URL of an OTLP/HTTP collector, such as ``http://127.0.0.1:4318``; empty: none are made."""
    ratio: float = 1.0
    """How many of the requests that begin a trace are recorded, from 0 to 1."""


@frozen
class Config:
    """A whole configuration."""

    registries: tuple[RegistrySpec, ...]
    """By position in the file."""
    server: ServerConfig = field(factory=ServerConfig)
    storage: StorageConfig = field(factory=StorageConfig)
    access: AccessConfig = field(factory=AccessConfig)
    limits: LimitsConfig | None = None
    """None: the usual ones where access is restricted, else none."""
    management: ManagementConfig = field(factory=ManagementConfig)
    metrics: MetricsConfig = field(factory=MetricsConfig)
    tracing: TracingConfig = field(factory=TracingConfig)
    folder: Path | None = None
    """Where the configuration file is, and beside it the keys of the vault; None: there is no file,
    and the keys are in the data folder."""

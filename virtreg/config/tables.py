"""The tables of a configuration file and the checks of their keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen
from cattrs import Converter

from virtreg.config import fields, local, rules, secrets
from virtreg.config.strict import (
    Hook,
    checked,
    converter,
    each,
    expect,
    items,
    listed,
    nearest,
    table,
)
from virtreg.config.values import (
    MAX_UPSTREAMS,
    AccessConfig,
    LimitsConfig,
    ManagementConfig,
    MetricsConfig,
    ServerConfig,
    StorageConfig,
    TracingConfig,
)
from virtreg.formats.container.namespaces import namespace
from virtreg.model import Ownership, Rule, Secret, UpstreamSpec

FORMATS = ("maven", "container")

_CALLED_CONTAINER = {"docker", "image", "images", "oci", "podman"}


@frozen
class RegistryTable:
    """``[[registry]]``: a RegistrySpec that names its upstreams."""

    name: str
    format: str
    upstreams: tuple[str, ...]
    id: int | None = None
    order: Literal["cached", "strict"] = "cached"
    description: str = ""
    namespaces: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    default: bool = False
    group: str = "default"
    public: bool = False
    ownerships: tuple[Ownership, ...] = ()


@frozen
class File:
    """The whole file."""

    registry: tuple[RegistryTable, ...]
    upstream: tuple[UpstreamSpec, ...] = ()
    server: ServerConfig = field(factory=ServerConfig)
    storage: StorageConfig = field(factory=StorageConfig)
    access: AccessConfig = field(factory=AccessConfig)
    limits: LimitsConfig | None = None
    management: ManagementConfig = field(factory=ManagementConfig)
    metrics: MetricsConfig = field(factory=MetricsConfig)
    tracing: TracingConfig = field(factory=TracingConfig)


def reader(references: secrets.References) -> Converter:
    """A converter for :class:`File`, with what it refers to."""
    strict = converter()
    rules.register(strict)
    folder, secret = references.folder, references.read

    def visible(text: str) -> Secret:
        # A field value is ASCII on the wire (RFC 9110, 5.5); only Basic encodes its password.
        found = secret(text)
        if not found.reveal().isascii():
            raise ValueError("must be ASCII text")
        return found

    def headers(value: object, _: object) -> tuple[tuple[str, Secret], ...]:
        def one(key: str, reference: object) -> tuple[str, Secret]:
            return fields.header(key), visible(expect(str, reference))

        content = expect(dict, value)
        return each((key, partial(one, key, content[key])) for key in content)

    upstream = {
        "name": checked(str, fields.name),
        "url": checked(str, fields.url),
        "registry": checked(str, fields.name),
        "folder": checked(str, partial(fields.folder, beside=folder)),
        "username": checked(str, fields.username),
        "password": checked(str, secret),
        "bearer": checked(str, visible),
        "headers": headers,
        "credential_command": _command,
        "token_realms": listed(fields.authority),
        "default_namespace": checked(str, fields.namespace),
        "cache_validity_hours": checked(float, fields.at_least_zero),
        "metadata_cache_validity_hours": checked(float, fields.above_zero),
        "negative_validity_seconds": checked(float, fields.at_least_zero),
        "connect_timeout": checked(float, fields.above_zero),
        "read_timeout": checked(float, fields.above_zero),
        "total_timeout": checked(float, fields.above_zero),
        "max_connections": _whole(1, 1024),
        "proxy": checked(str, fields.proxy),
        "allow_private": listed(fields.network),
        "minimum_release_age_hours": checked(float, fields.at_least_zero),
        "rules": _list_of("upstream.rules", Rule, strict),
        "ca_file": checked(str, partial(fields.file, folder=folder)),
    }
    registry = {
        "id": _whole(1, 2**31 - 1),
        "name": checked(str, fields.name),
        "format": checked(str, _format),
        "upstreams": _upstreams,
        "description": checked(str, fields.description),
        "namespaces": listed(_namespace),
        "hosts": listed(fields.authority),
        "group": checked(str, fields.name),
        "ownerships": _list_of("registry.ownerships", Ownership, strict),
    }
    server = {
        "host": checked(str, fields.host),
        "port": _whole(0, 65535),
        "workers": _whole(1, 256),
        "threads": _whole(1, 4096),
        "misses": _whole(1, 4096),
        "realm": checked(str, fields.realm),
        "image_prefix": checked(str, fields.image_prefix),
        "graceful_timeout": _whole(1, 86400),
        "hot_bytes": _whole(0, 2**40),
        "audit_log": checked(str, partial(_beside, folder=folder)),
        "external_url": checked(str, fields.url),
        "allowed_hosts": listed(fields.authority),
        "trusted_proxies": listed(fields.network),
    }
    storage = {
        "path": checked(str, _folder),
        "url": checked(str, fields.store_url),
        "database": checked(str, partial(secrets.database_url, references)),
        "connections": _whole(2, 1000),
        "cache_bytes": _whole(0, 2**50),
    }
    access = {
        "token_path": checked(str, fields.token_path),
        "service": checked(str, fields.service),
        "grant_seconds": _whole(60, 86400),
    }
    limits = {
        "requests": _whole(0, 2**31 - 1),
        "seconds": _whole(1, 3600),
        "failed_logins": _whole(0, 2**31 - 1),
    }
    management = {
        "allow_private": listed(fields.network),
        "maven_registries": _whole(0, 1000),
        "maven_upstreams": _whole(1, MAX_UPSTREAMS),
        "container_registries": _whole(0, 1000),
        "container_upstreams": _whole(1, MAX_UPSTREAMS),
        "rules": _whole(0, 1000),
    }
    metrics = {"allow": listed(fields.network)}
    tracing = {
        "endpoint": checked(str, fields.url),
        "ratio": checked(float, fields.share),
    }
    whole_upstream = table(strict, UpstreamSpec, upstream, _whole_upstream)

    def named(value: Any, kind: Any) -> UpstreamSpec:
        references.upstream = value.get("name") if isinstance(value, dict) else None
        return whole_upstream(value, kind)

    strict.register_structure_hook(UpstreamSpec, named)
    strict.register_structure_hook(RegistryTable, table(strict, RegistryTable, registry))
    strict.register_structure_hook(ServerConfig, table(strict, ServerConfig, server))
    strict.register_structure_hook(StorageConfig, table(strict, StorageConfig, storage))
    strict.register_structure_hook(AccessConfig, table(strict, AccessConfig, access))
    strict.register_structure_hook(LimitsConfig, table(strict, LimitsConfig, limits))
    managing = table(strict, ManagementConfig, management)
    strict.register_structure_hook(ManagementConfig, managing)
    strict.register_structure_hook(MetricsConfig, table(strict, MetricsConfig, metrics))
    strict.register_structure_hook(TracingConfig, table(strict, TracingConfig, tracing))
    whole = {
        "registry": _list_of("registry", RegistryTable, strict),
        "upstream": _list_of("upstream", UpstreamSpec, strict),
        "limits": lambda value, _: strict.structure(value, LimitsConfig),
    }
    strict.register_structure_hook(File, table(strict, File, whole))
    return strict


def _list_of(key: str, kind: type[Any], strict: Converter) -> Hook:
    """Tables under ``[[key]]``; TOML makes ``[key]`` one table, which is an easy slip."""

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if isinstance(value, dict):
            raise ValueError(f"must be a list of tables: write [[{key}]], not [{key}]")
        return items(value, lambda item: strict.structure(item, kind))

    return structure


def _whole(least: int, most: int) -> Hook:
    def check(number: int) -> int:
        if not least <= number <= most:
            raise ValueError(f"must be from {least} to {most}")
        return number

    return checked(int, check)


def _format(text: str) -> str:
    if text.lower() in _CALLED_CONTAINER:
        raise ValueError('unknown format; the format of images is "container"')
    if text not in FORMATS:
        raise ValueError(f"unknown format; {nearest(text, FORMATS)}")
    return text


def _upstreams(value: object, _: object) -> tuple[str, ...]:
    names = listed(fields.name)(value, None)
    if not names:
        raise ValueError("must name at least one upstream")
    if len(names) > MAX_UPSTREAMS:
        raise ValueError(f"must name at most {MAX_UPSTREAMS} upstreams, not {len(names)}")
    return tuple(names)


def _command(value: object, _: object) -> tuple[str, ...]:
    words = listed(fields.argument)(value, None)
    if not words:
        raise ValueError("must begin with a program")
    if not words[0]:
        raise ValueError("must begin with a program, not with an empty text")
    return tuple(words)


def _namespace(text: str) -> str:
    return namespace(fields.authority(text))


def _beside(text: str, folder: Path) -> Path:
    if not text or not text.isprintable():
        raise ValueError("must be the path of a file")
    return folder / text


def _folder(text: str) -> Path:
    if not text or not text.isprintable():
        raise ValueError("must be the path of a folder")
    return Path(text)


def _whole_upstream(upstream: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from local.place(upstream)
    yield from _credentials(upstream)


def _credentials(upstream: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """An upstream is sent one credential, and a whole one."""
    if "username" in upstream and not {"password", "credential_command"} & upstream.keys():
        yield "password", "is missing: `username` and `password` go together"
    if "password" in upstream and "username" not in upstream:
        yield "username", "is missing: `username` and `password` go together"
    if "password" in upstream and "bearer" in upstream:
        yield "bearer", "cannot stand beside `password`; an upstream takes one of them"
    if "credential_command" in upstream:
        for name in ("password", "bearer"):
            if name in upstream:
                yield name, "cannot stand beside `credential_command`, which brings its own login"
    headers = upstream.get("headers")
    names = [name.lower() for name in headers] if isinstance(headers, dict) else []
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"headers.{name}", "stands there twice, in different spellings"
    logins = [name for name in ("password", "bearer", "credential_command") if name in upstream]
    if "authorization" in names and logins:
        yield "headers.authorization", f"cannot stand beside `{logins[0]}`"

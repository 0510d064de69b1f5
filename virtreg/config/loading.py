"""From a TOML file to a Config, or to one error that says everything that is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from virtreg.config import container, local, rules
from virtreg.config.secrets import References
from virtreg.config.strict import Problems, nearest
from virtreg.config.tables import File, RegistryTable, reader
from virtreg.config.values import Config, ServerConfig, StorageConfig
from virtreg.errors import ConfigError
from virtreg.model import RegistrySpec, UpstreamSpec


def load(
    path: Path,
    environ: Mapping[str, str] | None,
    *,
    data: Path | None = None,
    every_secret: bool = True,
) -> Config:
    """Read a configuration file. ``env:NAME`` secrets are looked up in ``environ``; without one
    no secret is read, and all are empty. Unless ``every_secret``, all are empty but the URL of the
    database. ``data`` takes the place of the folder in ``[storage]``.

    Tables in messages are counted from 1. Raises ConfigError, whose message has one line
    ``file: key: reason`` for every problem in the file.
    """
    content = _parse(path)
    folder = path.absolute().parent
    try:
        references = References(environ, folder, data or _data(content, folder), every=every_secret)
        file = reader(references).structure(content, File)
    except Problems as error:
        # References are checked as well, so that one run of the program shows all there is.
        raise _refusal(path, [*error.found, *_names(content)]) from None
    found = [*_names(content), *_ids(file.registry), *_formats(file.registry)]
    found += _places(file.server)
    found += container.problems(file.registry)
    found += _groups(file)
    found += _rules(file)
    found += local.problems(file.registry, file.upstream)
    upstreams, refused = _upstreams(file)
    if found := [*found, *refused]:
        raise _refusal(path, found)
    return Config(
        registries=tuple(
            _registry(place, table, upstreams) for place, table in enumerate(file.registry, 1)
        ),
        server=file.server,
        storage=evolve(file.storage, path=data or folder / file.storage.path),
        access=file.access,
        limits=file.limits,
        management=file.management,
        metrics=file.metrics,
        tracing=file.tracing,
        folder=folder,
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not TOML: it is not UTF-8 text") from None


def _data(content: Mapping[str, Any], folder: Path) -> Path:
    """The data folder of a file that may be wrong still."""
    storage = content.get("storage")
    path = storage.get("path") if isinstance(storage, dict) else None
    return folder / (path if isinstance(path, str) else StorageConfig().path)


def _refusal(path: Path, found: Sequence[tuple[str, str]]) -> ConfigError:
    return ConfigError("\n".join(f"{path}: {key}: {reason}" for key, reason in found))


def _registry(
    place: int, table: RegistryTable, upstreams: Mapping[str, UpstreamSpec]
) -> RegistrySpec:
    return RegistrySpec(
        id=table.id or place,
        name=table.name,
        format=table.format,
        upstreams=tuple(upstreams[name] for name in table.upstreams),
        order=table.order,
        description=table.description,
        namespaces=table.namespaces,
        hosts=table.hosts,
        default=table.default,
        group=table.group,
        public=table.public,
        ownerships=table.ownerships,
    )


def _upstreams(file: File) -> tuple[dict[str, UpstreamSpec], list[tuple[str, str]]]:
    """The upstreams by name, and what is wrong with them where they serve images."""
    images = {
        name
        for table in file.registry
        if table.format == container.CONTAINER
        for name in table.upstreams
    }
    upstreams: dict[str, UpstreamSpec] = {}
    refused: list[tuple[str, str]] = []
    for place, upstream in enumerate(file.upstream, 1):
        url = upstream.url
        if upstream.name in images and not upstream.local:
            try:
                url = container.base_url(url)
            except ValueError as error:
                refused.append((f"upstream[{place}].url", str(error)))
        upstreams[upstream.name] = evolve(upstream, url=url)
    return upstreams, refused


def _rules(file: File) -> Iterator[tuple[str, str]]:
    spoken = {name: table.format for table in file.registry for name in table.upstreams}
    for place, upstream in enumerate(file.upstream, 1):
        if upstream.name in spoken:
            yield from rules.of_upstream(upstream, spoken[upstream.name], f"upstream[{place}]")
    for place, table in enumerate(file.registry, 1):
        key = f"registry[{place}]"
        yield from rules.of_registry(table.ownerships, table.format, table.upstreams, key)


def _formats(registries: Sequence[RegistryTable]) -> Iterator[tuple[str, str]]:
    """Upstreams listed by registries of different formats: each speaks one."""
    seen: dict[str, int] = {}
    for place, table in enumerate(registries, 1):
        for position, name in enumerate(table.upstreams, 1):
            first = seen.setdefault(name, place)
            spoken = registries[first - 1].format
            if spoken != table.format:
                reason = f"registry[{first}] lists it for {spoken}; an upstream speaks one format"
                yield f"registry[{place}].upstreams[{position}]", f'"{name}": {reason}'


def _groups(file: File) -> Iterator[tuple[str, str]]:
    """Upstreams whose cache would tell one group what another has pulled, unsaid."""
    # A local upstream has no cache of its own.
    shared = {upstream.name for upstream in file.upstream if upstream.shared or upstream.local}
    seen: dict[str, int] = {}
    for place, table in enumerate(file.registry, 1):
        for position, name in enumerate(table.upstreams, 1):
            first = seen.setdefault(name, place)
            group = file.registry[first - 1].group
            if group != table.group and name not in shared:
                reason = (
                    f'"{name}": registry[{first}] lists it for group "{group}", and one cache would'
                    " tell each group what the other has pulled; give each group an upstream of its"
                    " own, with the same `url`, or set `shared = true` in the table of this one"
                )
                yield f"registry[{place}].upstreams[{position}]", reason


def _names(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names used twice, and upstreams named but not there; of a file that may be wrong already,
    so that only what has its right shape is looked at."""
    named: dict[str, dict[str, int]] = {"upstream": {}, "registry": {}}
    for kind, seen in named.items():
        for place, table in _tables(content, kind):
            name = table.get("name")
            if not isinstance(name, str):
                continue
            if name in seen:
                yield f"{kind}[{place}].name", f'"{name}" is {kind}[{seen[name]}] already'
            seen.setdefault(name, place)
    known = list(named["upstream"])
    for place, table in _tables(content, "registry"):
        names = table.get("upstreams")
        if not isinstance(names, list):
            continue
        for position, name in enumerate(names, 1):
            key = f"registry[{place}].upstreams[{position}]"
            if isinstance(name, str) and name not in known:
                yield key, f'there is no upstream "{name}"; {nearest(name, known)}'
            elif name in names[: position - 1]:
                yield key, f'"{name}" is listed twice'


def _tables(content: Mapping[str, Any], kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    tables = content.get(kind)
    for place, table in enumerate(tables if isinstance(tables, list) else (), 1):
        if isinstance(table, dict):
            yield place, table


def _places(server: ServerConfig) -> Iterator[tuple[str, str]]:
    if server.misses is not None and server.misses > server.threads:
        yield "server.misses", f"must not be more than server.threads, {server.threads}"


def _ids(registries: Sequence[RegistryTable]) -> Iterator[tuple[str, str]]:
    seen: dict[int, int] = {}
    if not registries:
        yield "registry", "must hold at least one table"
    for place, table in enumerate(registries, 1):
        number = table.id or place
        if number in seen:
            yield f"registry[{place}].id", f"{number} is the id of registry[{seen[number]}] already"
        seen.setdefault(number, place)

"""Upstreams on this server: another registry, or a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from virtreg.config.strict import nearest
from virtreg.core.nesting import MOST_NESTED, too_deep
from virtreg.model import UpstreamSpec

PLACES: Final = ("url", "registry", "folder")
"""Keys of an upstream of which it has one."""

FOLDERS: Final = "maven"
"""The format that folders are laid out for."""

_FOR_ALL: Final = frozenset(
    {"name", *PLACES, "on_error", "rules", "minimum_release_age_hours", "shared"}
)
"""Keys that mean something where nothing is sent and nothing kept."""


class _Table(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def upstreams(self) -> Sequence[str]: ...


def place(upstream: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """``(key, reason)`` of an upstream that is nowhere, or in two places, or has keys that are for
    those that are asked over the network."""
    places = [key for key in PLACES if key in upstream]
    if not places:
        yield "url", "is missing; an upstream on this server has `registry` or `folder` instead"
    for key in places[1:]:
        yield key, f"cannot stand beside `{places[0]}`; an upstream has one of them"
    if "url" not in places and places:
        known = {each.name for each in UpstreamSpec.__attrs_attrs__}
        for key in upstream:
            if key in known and key not in _FOR_ALL:
                yield key, f"is for upstreams with a `url` alone, not beside `{places[0]}`"


def problems(
    registries: Sequence[_Table], upstreams: Sequence[UpstreamSpec]
) -> Iterator[tuple[str, str]]:
    """``(key, reason)`` of local upstreams that cannot be: of registries that are not there or of
    another format, in a ring or too deep, and of folders where there is no layout for them."""
    formats = {table.name: table.format for table in registries}
    spoken = {name: table.format for table in registries for name in table.upstreams}
    for number, upstream in enumerate(upstreams, 1):
        key, wanted = f"upstream[{number}]", spoken.get(upstream.name)
        target = upstream.registry
        if target is not None and target not in formats:
            reason = f'there is no registry "{target}"; {nearest(target, list(formats))}'
            yield f"{key}.registry", reason
        elif target is not None and wanted not in (None, formats[target]):
            reason = f'registry "{target}" is for {formats[target]}, and this is listed for'
            yield f"{key}.registry", f"{reason} {wanted}"
        if upstream.folder is not None and wanted not in (None, FOLDERS):
            yield f"{key}.folder", f'is for the format "{FOLDERS}" alone, not for {wanted}'
    yield from _nesting(registries, upstreams)


def _nesting(
    registries: Sequence[_Table], upstreams: Sequence[UpstreamSpec]
) -> Iterator[tuple[str, str]]:
    targets = {each.name: each.registry for each in upstreams if each.registry is not None}
    numbers = {table.name: number for number, table in enumerate(registries, 1)}
    way = too_deep(
        {
            table.name: [targets[name] for name in table.upstreams if name in targets]
            for table in registries
        }
    )
    if way is None:
        return
    key, shown = f"registry[{numbers[way[0]]}].upstreams", " -> ".join(way)
    if way[0] == way[-1]:
        yield key, f"registries are upstreams of each other in a ring: {shown}"
    else:
        yield key, f"registries are more than {MOST_NESTED} deep: {shown}"

"""Which manifests of an index are wanted (OCI image-spec 1.1, Image Index)."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable

from attrs import frozen

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")
_MACHINES = {
    "aarch64": "arm64",
    "amd64": "amd64",
    "arm64": "arm64",
    "armv6l": "arm/v6",
    "armv7l": "arm/v7",
    "i386": "386",
    "i686": "386",
    "loongarch64": "loong64",
    "x86_64": "amd64",
}
_UNSAID = {"amd64": "v1", "arm": "v7", "arm64": "v8"}
"""The variant of an architecture where none is said."""


@frozen
class Platforms:
    """A choice of platforms, each ``<os>/<architecture>[/<variant>]``."""

    names: frozenset[str] | None
    """None: everything an index lists, attestations included."""

    def chosen(self, offered: str) -> bool:
        """Whether an entry of an index is wanted."""
        return self.names is None or _normal(offered) in self.names

    def missing(self, offered: Iterable[str]) -> list[str]:
        """What was chosen and is not among the offered, in order."""
        return sorted((self.names or frozenset()) - {_normal(each) for each in offered})


ALL = Platforms(None)


def parse_platforms(texts: Iterable[str]) -> Platforms:
    """The choice of some platforms, or ``ALL`` when one of them is ``all``.

    Raises ValueError naming what is no platform.
    """
    names = list(texts)
    if "all" in names:
        return ALL
    for name in names:
        if not _PLATFORM.fullmatch(name):
            raise ValueError(f'{name!r} is no platform such as "linux/arm64"')
    return Platforms(frozenset(map(_normal, names)))


def own_platform(machine: str | None = None) -> str:
    """The platform of Linux images for a ``machine`` as ``uname`` names it, this one unless
    said."""
    name = (machine or platform.machine()).lower()
    return f"linux/{_MACHINES.get(name, name)}"


def _normal(name: str) -> str:
    """One spelling, without the variant that goes without saying."""
    system, _, rest = name.partition("/")
    architecture, _, variant = rest.partition("/")
    if not variant or variant == _UNSAID.get(architecture):
        return f"{system}/{architecture}"
    return f"{system}/{architecture}/{variant}"

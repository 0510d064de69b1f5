"""Package formats: pure adapters that know paths, documents and error bodies.

A format is anything that implements :class:`virtreg.protocols.Format`.
"""

from __future__ import annotations

from collections.abc import Iterable

from virtreg.errors import ConfigError
from virtreg.protocols import Format

__all__ = ["named"]

_BUILT_IN = ("container", "maven")


def named(name: str, custom: Iterable[Format] = ()) -> Format:
    """The format with this name, out of ``custom`` first and the built-in ones then.

    Built-in formats are imported when first named. Raises ConfigError, listing the names there
    are, for any other.
    """
    known = {adapter.name: adapter for adapter in custom}
    if name in known:
        return known[name]
    if name == "maven":
        from virtreg.formats.maven.adapter import MavenFormat

        return MavenFormat()
    if name == "container":
        from virtreg.formats.container.adapter import ContainerFormat

        return ContainerFormat()
    names = ", ".join(sorted({*known, *_BUILT_IN}))
    raise ConfigError(f"there is no format {name!r}; there are: {names}")

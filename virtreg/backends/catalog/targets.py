"""Which registries stored upstreams are, that are registries of the same server.

A stored registry is kept by its id, which is never given again, a declared one by its name. One
that is gone leaves its upstream broken: as long as nobody decides, nobody else answers for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Row

GONE: Final = ""
"""In the place of the name of a registry that is not there."""


@frozen
class Targets:
    """The registries there are: ``(name, format)`` by the id of a stored one, and formats by the
    name of a declared one."""

    stored: Mapping[int, tuple[str, str]]
    declared: Mapping[str, str]

    def name(self, upstream: Row[Any]) -> str | None:
        """Of the registry that an upstream is, ``GONE`` when it is not there or of another format;
        None for one that is no registry."""
        if upstream.local_registry_id is not None:
            name, format_name = self.stored.get(upstream.local_registry_id, (GONE, ""))
        elif upstream.local_registry is not None:
            name = upstream.local_registry
            format_name = self.declared.get(name, "")
        else:
            return None
        return name if format_name == upstream.format else GONE

"""What stored registries and upstreams are called where a name must mean one thing: in URLs, logs
and the names of caches. People may give several the same name, and any text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

_FIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
_COMPONENT: Final = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*")
"""Of an image's name (OCI distribution-spec 1.1.1, Pulling manifests), of which a registry's name
is part."""
_TAKEN: Final = frozenset({"api", "v2", "virtual_registries"})
"""Names that URLs of other registries begin with."""
_LONGEST: Final = 200


def registry_slug(name: str, number: int, taken: Callable[[str], bool]) -> str:
    """The name if it can stand in URLs of every format and is free, else one like it."""
    return next(slug for slug in _registry_slugs(name, number) if not taken(slug))


def _registry_slugs(name: str, number: int) -> Iterator[str]:
    # A number would be taken for the id of another registry.
    if _COMPONENT.fullmatch(name) and not name.isdecimal() and name not in _TAKEN:
        yield name
    base = re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST].strip("-") or "registry"
    yield f"{base}-{number}"
    for again in count(2):
        yield f"{base}-{number}-{again}"


def upstream_slug(name: str, number: int, taken: Callable[[str], bool]) -> str:
    """The name if it can stand in a header and is free, else one that no other can have."""
    return name if _FIT.fullmatch(name) and not taken(name) else numbered(name, number)


def numbered(name: str, number: int) -> str:
    """What a name that is not free is replaced by."""
    base = _UNFIT.sub("-", name)[:_LONGEST].strip("-") or "upstream"
    return f"{base} #{number}"

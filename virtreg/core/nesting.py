"""Registries that are upstreams of registries: never in a ring, and not too deep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from virtreg.model import RegistrySpec

MOST_NESTED: Final = 5
"""Registries behind the one that is asked, on the longest way."""

Nesting = Mapping[str, Sequence[str]]
"""The registries that each lists as upstreams, by name."""


def nesting_of(registries: Iterable[RegistrySpec]) -> Nesting:
    return {
        spec.name: tuple(each.registry for each in spec.upstreams if each.registry)
        for spec in registries
    }


def too_deep(nesting: Nesting) -> tuple[str, ...] | None:
    """A way that is too deep to be gone, as the names along it; None when there is none. In a ring
    the last name is the first again. The same one whatever order the mapping has."""
    depths: dict[str, int] = {}
    for name in sorted(nesting):
        found = _explore(name, nesting, depths, [])
        if found is not None:
            return found
    deepest = min(depths, key=lambda name: (-depths[name], name), default=None)
    if deepest is None or depths[deepest] <= MOST_NESTED:
        return None
    return _longest(deepest, nesting, depths.__getitem__)


def _explore(
    name: str, nesting: Nesting, depths: dict[str, int], way: list[str]
) -> tuple[str, ...] | None:
    """Fill in how deep it goes below a name; a ring if one is met."""
    if name in way:
        return (*way[way.index(name) :], name)
    if name in depths:
        return None
    if len(way) > MOST_NESTED:
        return (*way, name)
    way.append(name)
    below = [each for each in nesting.get(name, ()) if each in nesting]
    for each in below:
        found = _explore(each, nesting, depths, way)
        if found is not None:
            return found
    way.pop()
    depths[name] = 1 + max((depths[each] for each in below), default=-1)
    return None


def _longest(name: str, nesting: Nesting, depth: Callable[[str], int]) -> tuple[str, ...]:
    below = [each for each in nesting[name] if each in nesting]
    if not below:
        return (name,)
    return (name, *_longest(min(below, key=lambda each: (-depth(each), each)), nesting, depth))

"""Registries that stand beside each other: those of a file, or kept in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock

from virtreg.core.nesting import MOST_NESTED, nesting_of, too_deep
from virtreg.errors import ConfigError, Conflict, NotFound
from virtreg.model import RegistrySpec, UpstreamSpec


def consistent(registries: Iterable[RegistrySpec]) -> tuple[RegistrySpec, ...]:
    """The registries by id. Raises ConfigError for those that contradict, and for upstreams that
    are registries which are not among them, in a ring, or too deep."""
    found = _by_id(registries)
    for contradiction in (*_contradictions(found), *_unnestable(found)):
        raise ConfigError(contradiction)
    return found


def _unnestable(registries: Sequence[RegistrySpec]) -> Iterator[str]:
    formats = {spec.name: spec.format for spec in registries}
    for spec in registries:
        for upstream in spec.upstreams:
            # One that is stored may be gone tomorrow, or list this one.
            if upstream.registry is not None and formats.get(upstream.registry) != spec.format:
                yield (
                    f"upstream {upstream.name!r}: there is no registry {upstream.registry!r} of"
                    f" the format {spec.format}"
                )
    way = too_deep(nesting_of(registries))
    if way is not None and way[0] == way[-1]:
        yield f"registries are upstreams of each other in a ring: {' -> '.join(way)}"
    elif way is not None:
        yield f"registries are more than {MOST_NESTED} deep: {' -> '.join(way)}"


class MemoryCatalog:
    """A Catalog that forgets its changes with its process. Safe from any thread.

    Raises Conflict for registries that contradict.
    """

    def __init__(self, registries: Iterable[RegistrySpec] = ()) -> None:
        self._lock = Lock()
        self._revision = 0
        self._registries: tuple[RegistrySpec, ...] = ()
        self._replace(registries)

    def revision(self) -> int:
        return self._revision

    def registries(self) -> tuple[RegistrySpec, ...]:
        return self._registries

    def save(self, spec: RegistrySpec) -> None:
        """Insert or replace by id. Raises Conflict when the name or an upstream's name means
        something else already."""
        with self._lock:
            self._replace([*self._without(spec.id), spec])

    def remove(self, registry_id: int) -> None:
        """Raises NotFound when there is none."""
        with self._lock:
            kept = self._without(registry_id)
            if len(kept) == len(self._registries):
                raise NotFound(f"there is no registry {registry_id}")
            self._replace(kept)

    def _without(self, registry_id: int) -> list[RegistrySpec]:
        return [registry for registry in self._registries if registry.id != registry_id]

    def _replace(self, registries: Iterable[RegistrySpec]) -> None:
        replaced = _by_id(registries)
        for contradiction in _contradictions(replaced):
            raise Conflict(contradiction)
        # Whoever sees the new revision must see the new registries.
        self._registries = replaced
        self._revision += 1


def _by_id(registries: Iterable[RegistrySpec]) -> tuple[RegistrySpec, ...]:
    return tuple(sorted(registries, key=lambda registry: registry.id))


def _contradictions(registries: tuple[RegistrySpec, ...]) -> Iterator[str]:
    """What cannot be true of one catalog, a sentence each."""
    for number, times in Counter(registry.id for registry in registries).items():
        if times > 1:
            yield f"{times} registries have the id {number}"
    for name, times in Counter(registry.name for registry in registries).items():
        if times > 1:
            yield f"{times} registries have the name {name!r}"
    meanings: dict[str, tuple[UpstreamSpec, str]] = {}
    for registry in registries:
        names = Counter(upstream.name for upstream in registry.upstreams)
        for name, times in names.items():
            if times > 1:
                yield f"registry {registry.name!r} lists the upstream {name!r} {times} times"
        for upstream in registry.upstreams:
            meaning, first = meanings.setdefault(upstream.name, (upstream, registry.name))
            if meaning != upstream:
                yield (
                    f"the upstream {upstream.name!r} means one thing in registry {first!r} "
                    f"and another in registry {registry.name!r}"
                )

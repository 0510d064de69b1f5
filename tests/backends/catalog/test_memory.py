"""The catalog in memory, and registries that cannot stand beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from tests.backends.catalog.conftest import Open
from virtreg.backends.catalog import MemoryCatalog
from virtreg.errors import ConfigError, Conflict, NotFound
from virtreg.model import RegistrySpec, Secret
from virtreg.protocols import Catalog
from virtreg.testing.catalogs import CENTRAL, PRIVATE, CatalogSuite, registry_of


class TestMemoryCatalog(CatalogSuite):
    def make_catalog(self, registries: Sequence[RegistrySpec]) -> Catalog:
        return MemoryCatalog(registries)

    def change(self, catalog: Catalog) -> None:
        assert isinstance(catalog, MemoryCatalog)
        catalog.save(registry_of(len(catalog.registries()) + 1))


def test_a_save_replaces_by_id() -> None:
    catalog = MemoryCatalog([registry_of(1)])
    renamed = evolve(registry_of(1, PRIVATE), name="renamed", order="strict", description="d")
    catalog.save(renamed)
    assert catalog.registries() == (renamed,)
    catalog.save(evolve(registry_of(2), name="registry-1"))


def test_a_removed_registry_is_gone() -> None:
    catalog = MemoryCatalog([registry_of(1), registry_of(2)])
    catalog.remove(1)
    assert catalog.registries() == (registry_of(2),)
    with pytest.raises(NotFound, match="1"):
        catalog.remove(1)


def test_what_is_refused_changes_nothing() -> None:
    catalog = MemoryCatalog([registry_of(1), registry_of(2, PRIVATE)])
    before = catalog.registries(), catalog.revision()
    for spec in (
        evolve(registry_of(3), name="registry-1"),
        registry_of(3, evolve(PRIVATE, bearer=Secret("other-token"))),
    ):
        with pytest.raises(Conflict) as caught:
            catalog.save(spec)
        assert "token" not in caught.value.message
    assert (catalog.registries(), catalog.revision()) == before


def test_threads_that_save_at_once_lose_nothing() -> None:
    catalog = MemoryCatalog()
    before = catalog.revision()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: catalog.save(registry_of(number)), range(40)))
    assert catalog.registries() == tuple(registry_of(number) for number in range(40))
    assert catalog.revision() >= before + 40


@pytest.mark.parametrize(
    ("registries", "message"),
    [
        (
            [registry_of(7), evolve(registry_of(7), name="other")],
            "2 registries have the id 7",
        ),
        (
            [registry_of(1), evolve(registry_of(2), name="registry-1")],
            "2 registries have the name 'registry-1'",
        ),
        (
            [registry_of(1, PRIVATE, CENTRAL, PRIVATE)],
            "registry 'registry-1' lists the upstream 'private' 2 times",
        ),
        (
            [registry_of(1), registry_of(2, evolve(CENTRAL, read_timeout=1))],
            (
                "the upstream 'central' means one thing in registry 'registry-1' "
                "and another in registry 'registry-2'"
            ),
        ),
    ],
)
def test_declared_registries_that_contradict_are_told(
    opened: Open, registries: list[RegistrySpec], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(registries)
    assert caught.value.message == message

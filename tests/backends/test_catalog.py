"""The catalogs keep the contract; the static one changes never."""

from __future__ import annotations

import pytest
from attrs import evolve

from virtreg.backends.catalog import MemoryCatalog, StaticCatalog
from virtreg.errors import ConfigError, Conflict
from virtreg.model import RegistrySpec
from virtreg.testing.catalogs import CENTRAL, PRIVATE, CatalogSuite, registry_of


class TestMemoryCatalog(CatalogSuite):
    def make_catalog(self) -> MemoryCatalog:
        return MemoryCatalog()


def test_a_memory_catalog_may_start_full() -> None:
    catalog = MemoryCatalog([registry_of(2), registry_of(1)])
    assert catalog.registries() == (registry_of(1), registry_of(2))
    with pytest.raises(Conflict, match="2 registries have the id 1"):
        MemoryCatalog([registry_of(1), evolve(registry_of(1), name="other")])


def test_a_static_catalog_tells_its_registries_by_id() -> None:
    catalog = StaticCatalog([registry_of(2), registry_of(1, PRIVATE)])
    assert catalog.registries() == (registry_of(1, PRIVATE), registry_of(2))


def test_a_static_catalog_refuses_changes() -> None:
    catalog = StaticCatalog([registry_of(1)])
    before = catalog.revision()
    for registry in (registry_of(1), registry_of(2)):
        with pytest.raises(Conflict, match="come from a file"):
            catalog.save(registry)
    with pytest.raises(Conflict, match="come from a file"):
        catalog.remove(1)
    assert catalog.registries() == (registry_of(1),)
    assert catalog.revision() == before


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
def test_a_static_catalog_refuses_registries_that_contradict(
    registries: list[RegistrySpec], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        StaticCatalog(registries)
    assert caught.value.message == message

"""The contract of a Catalog, as tests. Subclass the suite and say how to make one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from virtreg.errors import Conflict, NotFound
from virtreg.model import RegistrySpec, Secret, UpstreamSpec
from virtreg.protocols import Catalog

CENTRAL = UpstreamSpec(name="central", url="https://central.example/maven2")
PRIVATE = UpstreamSpec(
    name="private", url="https://private.example/maven", bearer=Secret("private-token")
)


def registry_of(number: int, *upstreams: UpstreamSpec) -> RegistrySpec:
    """A Maven registry called ``registry-<number>``, of ``CENTRAL`` unless told."""
    return RegistrySpec(
        id=number, name=f"registry-{number}", format="maven", upstreams=upstreams or (CENTRAL,)
    )


class CatalogSuite:
    """Subclass as ``class TestMyCatalog(CatalogSuite)`` and override :meth:`make_catalog`."""

    def make_catalog(self) -> Catalog:
        """A new, empty catalog that can be changed."""
        raise NotImplementedError

    @pytest.fixture
    def catalog(self) -> Catalog:
        return self.make_catalog()

    def test_registries_come_by_id(self, catalog: Catalog) -> None:
        assert catalog.registries() == ()
        for number in (3, 1, 2):
            catalog.save(registry_of(number, PRIVATE, CENTRAL))
        assert catalog.registries() == tuple(
            registry_of(number, PRIVATE, CENTRAL) for number in (1, 2, 3)
        )

    def test_a_save_replaces_by_id(self, catalog: Catalog) -> None:
        catalog.save(registry_of(1))
        renamed = evolve(registry_of(1, PRIVATE), name="renamed", order="strict", description="d")
        catalog.save(renamed)
        assert catalog.registries() == (renamed,)
        catalog.save(evolve(registry_of(2), name="registry-1"))

    def test_a_removed_registry_is_gone(self, catalog: Catalog) -> None:
        catalog.save(registry_of(1))
        catalog.save(registry_of(2))
        catalog.remove(1)
        assert catalog.registries() == (registry_of(2),)
        with pytest.raises(NotFound, match="1"):
            catalog.remove(1)

    def test_the_revision_grows_with_every_change_and_only_then(self, catalog: Catalog) -> None:
        seen = [catalog.revision()]
        catalog.save(registry_of(1))
        seen.append(catalog.revision())
        catalog.save(registry_of(1, PRIVATE))
        seen.append(catalog.revision())
        catalog.remove(1)
        seen.append(catalog.revision())
        assert seen == sorted(set(seen))
        with pytest.raises(NotFound):
            catalog.remove(1)
        catalog.registries()
        assert catalog.revision() == seen[-1]

    def test_a_name_taken_by_another_registry_is_a_conflict(self, catalog: Catalog) -> None:
        catalog.save(registry_of(1))
        before = catalog.revision()
        with pytest.raises(Conflict, match="registry-1"):
            catalog.save(evolve(registry_of(2), name="registry-1"))
        assert catalog.registries() == (registry_of(1),)
        assert catalog.revision() == before

    def test_an_upstream_name_means_one_thing(self, catalog: Catalog) -> None:
        catalog.save(registry_of(1, PRIVATE))
        catalog.save(registry_of(2, PRIVATE, CENTRAL))
        for other in (
            evolve(PRIVATE, url="https://other.example/"),
            evolve(PRIVATE, bearer=Secret("other-token")),
            evolve(PRIVATE, cache_validity_hours=1),
        ):
            with pytest.raises(Conflict, match="private") as caught:
                catalog.save(registry_of(3, other))
            assert "token" not in caught.value.message
        catalog.save(registry_of(2))
        catalog.save(registry_of(1, evolve(PRIVATE, bearer=Secret("other-token"))))

    def test_an_upstream_is_listed_once_in_a_registry(self, catalog: Catalog) -> None:
        with pytest.raises(Conflict, match="central"):
            catalog.save(registry_of(1, CENTRAL, CENTRAL))
        assert catalog.registries() == ()

    def test_threads_that_save_at_once_lose_nothing(self, catalog: Catalog) -> None:
        before = catalog.revision()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda number: catalog.save(registry_of(number)), range(40)))
        assert catalog.registries() == tuple(registry_of(number) for number in range(40))
        assert catalog.revision() >= before + 40

"""The contract of a Catalog, as tests. Subclass the suite and say how to make one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve

from virtreg.errors import ConfigError, Conflict
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
    """Subclass as ``class TestMyCatalog(CatalogSuite)`` and override what makes and changes one.
    Both are called several times a test; the catalogs need not know each other's registries."""

    def make_catalog(self, registries: Sequence[RegistrySpec]) -> Catalog:
        """A catalog of these alone, that can be changed. Raises ConfigError or Conflict for
        registries that contradict."""
        raise NotImplementedError

    def change(self, catalog: Catalog) -> None:
        """Add a registry, or change one."""
        raise NotImplementedError

    def test_there_may_be_none(self) -> None:
        assert self.make_catalog([]).registries() == ()

    def test_registries_come_by_id_as_they_are(self) -> None:
        wanted = [registry_of(number, PRIVATE, CENTRAL) for number in (3, 1, 2)]
        catalog = self.make_catalog(wanted)
        assert catalog.registries() == tuple(sorted(wanted, key=lambda spec: spec.id))

    def test_the_revision_grows_with_every_change_and_only_then(self) -> None:
        catalog = self.make_catalog([registry_of(1)])
        seen = [catalog.revision()]
        for _ in range(3):
            before = catalog.registries()
            self.change(catalog)
            assert catalog.registries() != before
            seen.append(catalog.revision())
            catalog.registries()
            assert catalog.revision() == seen[-1]
        assert seen == sorted(set(seen))

    @pytest.mark.parametrize(
        ("registries", "named"),
        [
            ([registry_of(1), evolve(registry_of(2), name="registry-1")], "registry-1"),
            ([registry_of(7), evolve(registry_of(7), name="other")], "7"),
            ([registry_of(1, CENTRAL, CENTRAL)], "central"),
            (
                [registry_of(1, PRIVATE), registry_of(2, evolve(PRIVATE, bearer=Secret("token")))],
                "private",
            ),
            ([registry_of(1), registry_of(2, evolve(CENTRAL, cache_validity_hours=1))], "central"),
        ],
        ids=["name", "id", "twice", "secret", "validity"],
    )
    def test_registries_that_contradict_are_refused(
        self, registries: list[RegistrySpec], named: str
    ) -> None:
        with pytest.raises((ConfigError, Conflict), match=named) as caught:
            self.make_catalog(registries)
        assert "token" not in caught.value.message

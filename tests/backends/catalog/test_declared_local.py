"""Declared upstreams that are registries, by whatever way they were declared."""

from __future__ import annotations

import pytest

from tests.backends.catalog.conftest import Open
from virtreg.errors import ConfigError
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.testing.catalogs import CENTRAL


def declared(number: int, name: str, *targets: str, format_name: str = "maven") -> RegistrySpec:
    upstreams = tuple(UpstreamSpec(f"{name}-{each}", registry=each) for each in targets)
    return RegistrySpec(number, name, format_name, upstreams or (CENTRAL,))


def test_they_are_listed(opened: Open) -> None:
    specs = (declared(1, "a", "b"), declared(2, "b"))
    assert opened(specs).registries() == specs


def test_a_ring_is_refused_and_named(opened: Open) -> None:
    with pytest.raises(ConfigError, match="in a ring: a -> b -> a"):
        opened([declared(1, "a", "b"), declared(2, "b", "a")])


def test_what_is_too_deep_is_refused(opened: Open) -> None:
    specs = [declared(number + 1, f"r{number}", f"r{number + 1}") for number in range(6)]
    with pytest.raises(ConfigError, match="more than 5 deep: r0 -> "):
        opened([*specs, declared(7, "r6")])


def test_so_is_a_registry_that_is_not_declared_or_of_another_format(opened: Open) -> None:
    catalog = opened()
    catalog.add_registry("g", "maven", {"name": "stored"})
    for target, others in (("stored", []), ("b", [declared(2, "b", format_name="container")])):
        with pytest.raises(ConfigError, match=f"no registry '{target}' of the format maven"):
            opened([declared(1, "a", target), *others])

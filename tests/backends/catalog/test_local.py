"""Upstreams that are registries of the same server."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.backends.catalog.conftest import Open
from virtreg.backends.catalog import ManagementLimits, SqlCatalog
from virtreg.core.nesting import MOST_NESTED
from virtreg.errors import Invalid
from virtreg.managed import ManagedUpstream
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.testing.catalogs import CENTRAL


def registry(
    catalog: SqlCatalog, name: str, *, group: str = "g", format_name: str = "maven"
) -> int:
    return catalog.add_registry(group, format_name, {"name": name}).spec.id


def link(catalog: SqlCatalog, outer: int, inner: int, **fields: Any) -> ManagedUpstream:
    wanted = {"name": f"to-{inner}", "local_registry_id": inner, **fields}
    return catalog.add_local_upstream(outer, wanted)[0]


def test_it_is_there_as_it_was_given(catalog: SqlCatalog) -> None:
    outer, inner = registry(catalog, "outer"), registry(catalog, "inner", group="other")
    made = link(catalog, outer, inner, description="Theirs", on_error="continue")
    assert made.spec == UpstreamSpec(
        f"to-{inner}", registry="inner", on_error="continue", id=made.id
    )
    assert made.spec.local
    assert (made.group, made.format, made.description) == ("g", "maven", "Theirs")
    assert catalog.upstreams_of(outer)[0][1] == made


def test_it_follows_the_name_of_its_registry(catalog: SqlCatalog) -> None:
    outer, inner = registry(catalog, "outer"), registry(catalog, "inner")
    made = link(catalog, outer, inner)
    catalog.change_registry(inner, {"name": "renamed"})
    found = catalog.upstream(made.id)
    assert found is not None
    assert found.spec.registry == "renamed"


def test_one_whose_registry_is_gone_stays_and_is_none(catalog: SqlCatalog) -> None:
    outer, inner = registry(catalog, "outer"), registry(catalog, "inner")
    made = link(catalog, outer, inner)
    catalog.remove_registry(inner)
    registry(catalog, "inner")
    found = catalog.upstream(made.id)
    assert found is not None
    assert found.spec.registry == ""
    assert found.spec.local


def test_a_declared_registry_is_known_by_its_name_whatever_its_number(opened: Open) -> None:
    first = RegistrySpec(1, "first", "maven", (CENTRAL,), group="g")
    second = RegistrySpec(2, "second", "maven", (CENTRAL,), group="g")
    catalog = opened([first, second])
    made = link(catalog, registry(catalog, "outer"), 1)

    def target(catalog: SqlCatalog) -> str | None:
        found = catalog.upstream(made.id)
        assert found is not None
        return found.spec.registry

    assert target(catalog) == "first"
    swapped = [
        RegistrySpec(2, "first", "maven", (CENTRAL,), group="g"),
        RegistrySpec(1, "second", "maven", (CENTRAL,), group="g"),
    ]
    assert target(opened(swapped)) == "first"
    assert target(opened([swapped[1]])) == ""


def test_a_registry_of_another_format_is_refused(catalog: SqlCatalog) -> None:
    outer = registry(catalog, "outer")
    images = registry(catalog, "images", format_name="container")
    for wrong in (images, 10**6):
        with pytest.raises(Invalid, match="local_registry_id is no registry of this format"):
            link(catalog, outer, wrong)


def test_a_group_has_a_registry_as_an_upstream_once(catalog: SqlCatalog) -> None:
    inner = registry(catalog, "inner")
    link(catalog, registry(catalog, "outer"), inner)
    with pytest.raises(Invalid, match="is an upstream of the group already"):
        link(catalog, registry(catalog, "another"), inner)
    link(catalog, registry(catalog, "theirs", group="other"), inner)


def test_registries_are_never_upstreams_of_each_other(catalog: SqlCatalog) -> None:
    a, b, c = (registry(catalog, name) for name in "abc")
    link(catalog, a, b)
    made = link(catalog, b, c)
    with pytest.raises(Invalid, match="upstreams of each other: a -> b -> c -> a"):
        link(catalog, c, a)
    with pytest.raises(Invalid, match="upstreams of each other: c -> c"):
        catalog.associate(c, made.id)
    with pytest.raises(Invalid, match="upstreams of each other"):
        link(catalog, a, a)


def test_registries_of_others_are_not_told_of(catalog: SqlCatalog) -> None:
    a, c = registry(catalog, "a"), registry(catalog, "c")
    hidden = registry(catalog, "hidden", group="other")
    link(catalog, a, hidden)
    link(catalog, hidden, c)
    with pytest.raises(Invalid, match="a -> … -> c -> a"):
        link(catalog, c, a)


def test_they_are_nested_no_deeper_than_can_be_gone(opened: Open) -> None:
    catalog = opened(limits=ManagementLimits())
    chain = [registry(catalog, f"r{number}") for number in range(MOST_NESTED + 2)]
    for outer, inner in pairwise(chain[1:]):
        link(catalog, outer, inner)
    with pytest.raises(Invalid, match=f"more than {MOST_NESTED} registries deep: r0 -> r1"):
        link(catalog, chain[0], chain[1])


def test_which_registry_it_is_cannot_be_changed(catalog: SqlCatalog) -> None:
    outer, inner = registry(catalog, "outer"), registry(catalog, "inner")
    made = link(catalog, outer, inner)
    for wrong in ({"local_registry_id": outer}, {"url": "https://x.example"}, {"username": "u"}):
        with pytest.raises(Invalid, match="is not a field"):
            catalog.change_upstream(made.id, wrong)
    changed = catalog.change_upstream(made.id, {"name": "new", "description": "d"})
    assert (changed.name, changed.description, changed.spec.registry) == ("new", "d", "inner")


def test_it_can_be_listed_by_other_registries_of_the_group(catalog: SqlCatalog) -> None:
    outer, another, inner = (registry(catalog, name) for name in ("outer", "another", "inner"))
    made = link(catalog, outer, inner)
    assert catalog.associate(another, made.id).position == 1

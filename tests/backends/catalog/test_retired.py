"""Which sources of the index are in use, and which ones changes took out of use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.catalog.conftest import Open
from virtreg.backends.catalog import SqlCatalog
from virtreg.errors import Conflict
from virtreg.model import Ownership, Rule, Secret
from virtreg.testing.catalogs import CENTRAL, PRIVATE, registry_of


@pytest.fixture
def catalog(opened: Open) -> Iterator[SqlCatalog]:
    """After every change, what is retired is what was once in use and is not now."""
    catalog = opened([registry_of(1, PRIVATE, CENTRAL)])
    seen = set(sources(catalog))

    def look() -> None:
        now = sources(catalog)
        seen.update(now)
        assert set(catalog.retired()) == seen - now

    catalog.on_change(look)
    yield catalog
    look()


def sources(catalog: SqlCatalog) -> set[str]:
    found = catalog.registries()
    used = {spec.key for spec in found}
    used |= {each.key for spec in found for each in spec.upstreams}
    return used | {each.spec.key for each in catalog.upstreams_of_group("g", "maven")[0]}


def add(catalog: SqlCatalog, registry: int, name: str) -> int:
    fields = {"name": name, "url": f"https://{name}.example/"}
    return catalog.add_upstream(registry, fields)[0].id


def test_a_purged_upstream_is_another_source_wherever_it_is_listed(catalog: SqlCatalog) -> None:
    one, two = (catalog.add_registry("g", "maven", {"name": name}).spec.id for name in "ab")
    upstream = add(catalog, one, "u")
    catalog.associate(two, upstream)
    before = {spec.id: spec for spec in catalog.registries()}
    catalog.purge_upstream(upstream)
    after = {spec.id: spec for spec in catalog.registries()}
    assert after[one].upstreams == after[two].upstreams
    assert after[one].upstreams[0].key != before[one].upstreams[0].key
    assert after[one].key != before[one].key
    assert after[1] == before[1]
    assert before[one].upstreams[0].key in catalog.retired()


def test_a_purged_registry_spares_upstreams_that_others_list(catalog: SqlCatalog) -> None:
    one, two = (catalog.add_registry("g", "maven", {"name": name}).spec.id for name in "ab")
    own, shared = add(catalog, one, "own"), add(catalog, one, "shared")
    catalog.associate(two, shared)
    before = {spec.id: spec for spec in catalog.registries()}
    catalog.purge_registry(one)
    after = {spec.id: spec for spec in catalog.registries()}
    generations = {each.id: each.generation for each in after[one].upstreams}
    assert generations == {own: 1, shared: 0}
    assert after[one].generation == 1
    assert after[two] == before[two]


def test_a_declared_registry_and_its_upstreams_can_be_purged(catalog: SqlCatalog) -> None:
    before = catalog.registries()[0]
    catalog.purge_registry(1)
    catalog.purge_registry(1)
    catalog.purge_upstream(catalog.upstreams_of(1)[0][1].id)
    after = catalog.registries()[0]
    assert after.generation == 2
    assert [each.generation for each in after.upstreams] == [3, 2]
    assert [each.bearer for each in after.upstreams] == [PRIVATE.bearer, None]
    assert before.key in catalog.retired()


def test_changes_retire_what_they_take_out_of_use(catalog: SqlCatalog) -> None:
    one = catalog.add_registry("g", "maven", {"name": "a"}).spec.id
    first, second = add(catalog, one, "u"), add(catalog, one, "v")
    catalog.change_upstream(first, {"username": "bob", "password": Secret("x")})
    catalog.change_upstream(first, {"url": "https://other.example/"})
    catalog.change_upstream(first, {"name": "renamed", "read_timeout": 3})
    catalog.move(catalog.upstreams_of(one)[1][0].id, 1)
    rule = catalog.add_rule(second, Rule("deny", "version", "1*"))
    assert rule.id is not None
    catalog.remove_rule(rule.id)
    catalog.set_ownerships(one, [Ownership("group_id", "com.ours*", ("v",))])
    with pytest.raises(Conflict, match="from upstream 'v' alone"):
        catalog.disassociate(catalog.upstreams_of(one)[0][0].id)
    with pytest.raises(Conflict, match="change the registry's ownerships first"):
        catalog.remove_upstream(second)
    catalog.set_ownerships(one, [])
    catalog.disassociate(catalog.upstreams_of(one)[0][0].id)
    catalog.associate(one, second)
    catalog.remove_upstream(first)
    catalog.change_registry(one, {"name": "b"})
    catalog.remove_registry(one)


def test_a_source_in_use_again_is_not_retired(catalog: SqlCatalog) -> None:
    one = catalog.add_registry("g", "maven", {"name": "a"}).spec.id
    upstream = add(catalog, one, "u")
    first = catalog.registries()[-1].upstreams[0].key
    for url in ("https://other.example/", "https://u.example/"):
        catalog.change_upstream(upstream, {"url": url})
        assert (first in catalog.retired()) == (url != "https://u.example/")


def test_what_was_removed_is_forgotten_once(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    catalog.purge_registry(1)
    before = catalog.revision()
    for source in catalog.retired():
        catalog.forget_retired(source)
        catalog.forget_retired(source)
    assert catalog.retired() == []
    assert catalog.revision() == before


def test_what_leaves_the_configuration_file_is_not_retired(opened: Open) -> None:
    opened([registry_of(1), registry_of(2, PRIVATE)])
    catalog = opened([registry_of(1)])
    catalog.announce()
    assert catalog.retired() == []


def test_the_sources_of_a_group_are_told_with_their_formats(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    images = catalog.add_registry("g", "container", {"name": "a"}).spec.id
    files = catalog.add_registry("g", "maven", {"name": "a"}).spec.id
    hub, alone = add(catalog, images, "hub"), add(catalog, files, "alone")
    catalog.disassociate(catalog.upstreams_of(files)[0][0].id)
    specs = {spec.id: spec for spec in catalog.registries()}
    left = catalog.upstream(alone)
    assert left is not None
    assert catalog.sources_of("g") == {
        specs[images].key: "container",
        specs[files].key: "maven",
        specs[images].upstreams[0].key: "container",
        left.spec.key: "maven",
    }
    assert specs[images].upstreams[0].id == hub
    assert catalog.sources_of("default") == {specs[1].key: "maven", CENTRAL.key: "maven"}
    assert catalog.sources_of("nobody") == {}

"""What a configuration file declares, beside what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import select

from tests.backends.catalog.conftest import Clock, Open
from tests.backends.places import Place
from virtreg.backends.catalog.schema import catalog_tables
from virtreg.backends.catalog.schema import upstreams as upstreams_table
from virtreg.errors import ConfigError
from virtreg.model import Ownership, RegistrySpec, Rule, Secret
from virtreg.testing.catalogs import CENTRAL, PRIVATE, registry_of

BLOCK = Rule("deny", "group_id", "com.evil*")


def tables(opened: Open, declared: list[RegistrySpec]) -> dict[str, list[tuple[object, ...]]]:
    with opened(declared)._database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in catalog_tables.sorted_tables
        }


def test_declaring_the_same_again_changes_nothing(opened: Open, clock: Clock) -> None:
    declared = [registry_of(2, PRIVATE, CENTRAL), registry_of(1)]
    before = tables(opened, declared)
    assert len(before["associations"]) == 3
    clock.now += 100
    assert tables(opened, declared) == before


def test_what_is_declared_is_told_with_its_secrets_and_kept_without(
    opened: Open, place: Place
) -> None:
    secret = evolve(
        PRIVATE, bearer=Secret("declared-bearer"), headers=(("X-Key", Secret("declared-key")),)
    )
    catalog = opened([registry_of(1, secret)])
    assert catalog.registries() == (registry_of(1, secret),)
    found = catalog.registry(1)
    assert found is not None
    assert found.declared
    ((listed, upstream),) = catalog.upstreams_of(1)
    assert (listed.position, upstream.spec, upstream.declared) == (1, secret, True)
    assert upstream.spec.id is None
    with catalog._database.reading() as connection:
        rows = connection.execute(upstreams_table.select()).all()
    assert rows
    assert "declared-" not in str(rows)
    catalog.close()
    if isinstance(place, Path):
        for path in place.iterdir():
            assert b"declared-" not in path.read_bytes()


def test_ids_outlast_an_edited_file(opened: Open, clock: Clock) -> None:
    before = opened([registry_of(1, PRIVATE, CENTRAL), registry_of(2)])
    places = {place.upstream_id: place.id for place, _ in before.upstreams_of(1)}
    ids = {each.name: each.id for _, each in before.upstreams_of(1)}
    clock.now += 100
    exchanged = [
        evolve(registry_of(2, CENTRAL, PRIVATE), name="registry-1"),
        evolve(registry_of(1), name="registry-2"),
    ]
    after = opened(exchanged)
    assert after.registries() == tuple(sorted(exchanged, key=lambda spec: spec.id))
    assert {each.name: each.id for _, each in after.upstreams_of(2)} == ids
    assert [place.position for place, _ in after.upstreams_of(2)] == [1, 2]
    for place, upstream in after.upstreams_of(2):
        assert place.id == places[upstream.id]
    found = after.registry(2)
    assert found is not None
    assert (found.name, found.created_at, found.updated_at) == (
        "registry-1",
        clock.now - 100,
        clock.now,
    )


def test_purges_and_rules_are_kept_while_a_declaration_is_away(opened: Open) -> None:
    declared = [registry_of(1, PRIVATE), registry_of(2)]
    catalog = opened(declared)
    ((_, private),) = catalog.upstreams_of(1)
    rule = catalog.add_rule(private.id, BLOCK)
    catalog.purge_registry(1)
    away = opened(declared[1:])
    assert away.upstream(private.id) is None
    assert away.registry(1) is None
    assert away.registries() == (registry_of(2),)
    (spec, _) = opened(declared).registries()
    assert spec.generation == 1
    assert spec.upstreams == (evolve(PRIVATE, rules=(rule,), generation=1),)


def test_rules_of_the_file_come_with_those_that_are_stored(opened: Open) -> None:
    ruled = evolve(CENTRAL, rules=(Rule("allow", "version", "1*"),))
    catalog = opened([registry_of(1, ruled), registry_of(2, ruled)])
    ((_, central),) = catalog.upstreams_of(1)
    stored = catalog.add_rule(central.id, BLOCK)
    for spec in catalog.registries():
        assert spec.upstreams[0].rules == (*ruled.rules, stored)


def test_a_declared_upstream_takes_its_name_from_a_stored_one(opened: Open) -> None:
    catalog = opened()
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    stored, _ = catalog.add_upstream(registry, {"name": "central", "url": "https://c.example/"})
    assert stored.spec.name == "central"
    later = opened([registry_of(1)])
    renamed = later.upstream(stored.id)
    assert renamed is not None
    assert (renamed.name, renamed.spec.name) == ("central", f"central #{stored.id}")
    assert renamed.spec.key == stored.spec.key


def test_a_declared_registry_does_not_take_the_place_of_a_stored_one(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    stored = catalog.add_registry("g", "maven", {"name": "r"}).spec
    before = catalog.revision()
    with pytest.raises(ConfigError, match=f"the id {stored.id} is that of the stored registry 'r'"):
        opened([registry_of(1), registry_of(stored.id)])
    with pytest.raises(ConfigError, match=f"registry {stored.id}, which is stored, has this name"):
        opened([evolve(registry_of(2), name="r")])
    assert catalog.revision() == before
    assert catalog.registries() == (registry_of(1), stored)


def test_an_upstream_that_changes_its_format_is_another_one(opened: Open) -> None:
    catalog = opened([registry_of(1, CENTRAL, PRIVATE)])
    ids = [each.id for _, each in catalog.upstreams_of(1)]
    registry = catalog.add_registry("default", "maven", {"name": "r"}).spec.id
    for number in ids:
        catalog.add_rule(number, BLOCK)
        catalog.associate(registry, number)
    images = evolve(registry_of(1), format="container")
    later = opened([images, registry_of(2, PRIVATE)])
    assert later.registries()[0] == images
    ((place, upstream),) = later.upstreams_of(registry)
    assert (place.position, upstream.name) == (1, "private")


def test_an_upstream_of_several_groups_is_of_the_first_one(opened: Open) -> None:
    catalog = opened([evolve(registry_of(2), group="b"), evolve(registry_of(1), group="a")])
    ((_, central),) = catalog.upstreams_of(2)
    assert central.group == "a"
    assert catalog.upstreams_of(1)[0][1] == central
    assert catalog.upstreams_of_group("b", "maven") == ([], 0)


def test_what_a_vanished_upstream_owned_comes_from_nowhere(opened: Open) -> None:
    catalog = opened([registry_of(1, CENTRAL, PRIVATE)])
    registry = catalog.add_registry("default", "maven", {"name": "r"}).spec.id
    for _, upstream in catalog.upstreams_of(1):
        catalog.associate(registry, upstream.id)
    catalog.set_ownerships(registry, [Ownership("group_id", "com.ours*", ("private",))])
    assert [each.name for each in catalog.registries()[-1].upstreams] == ["central", "private"]
    later = opened([registry_of(1)])
    assert later.registries()[-1].upstreams == ()
    found = later.set_ownerships(registry, [])
    assert [each.name for each in found.spec.upstreams] == ["central"]
    assert later.registries()[-1] == found.spec

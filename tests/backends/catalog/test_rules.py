"""Rules of upstreams and ownerships of registries."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.backends.catalog.conftest import Clock
from virtreg.backends.catalog import SqlCatalog
from virtreg.errors import Invalid, NotFound
from virtreg.managed import MOST_RULES
from virtreg.model import Ownership, Rule

BLOCK = Rule("deny", "group_id", "com.evil*")


@pytest.fixture
def registry(catalog: SqlCatalog) -> int:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    for name in "ab":
        catalog.add_upstream(registry, {"name": name, "url": f"https://{name}.example/"})
    return registry


def test_a_rule_is_part_of_its_upstream_until_it_is_removed(
    catalog: SqlCatalog, registry: int, clock: Clock
) -> None:
    ((_, first), (_, second)) = catalog.upstreams_of(registry)
    clock.now += 1
    rule = catalog.add_rule(first.id, BLOCK)
    assert rule.id is not None
    assert evolve(rule, id=None) == BLOCK
    found = catalog.rule(rule.id)
    assert found is not None
    assert (found[0].id, found[0].updated_at, found[1]) == (first.id, clock.now, rule)
    assert [each.rules for each in catalog.registries()[0].upstreams] == [(rule,), ()]
    assert catalog.upstream(second.id) == second
    catalog.remove_rule(rule.id)
    assert catalog.rule(rule.id) is None
    assert catalog.registries()[0].upstreams[0].rules == ()
    with pytest.raises(NotFound, match=f"no rule {rule.id}"):
        catalog.remove_rule(rule.id)


def test_an_upstream_has_a_rule_once_and_so_many_at_most(
    catalog: SqlCatalog, registry: int
) -> None:
    upstream = catalog.upstreams_of(registry)[0][1].id
    catalog.add_rule(upstream, BLOCK)
    with pytest.raises(Invalid) as caught:
        catalog.add_rule(upstream, BLOCK)
    assert caught.value.fields == {"pattern": ("has already been taken",)}
    for number in range(MOST_RULES - 1):
        catalog.add_rule(upstream, evolve(BLOCK, pattern=f"com.evil{number}"))
    with pytest.raises(Invalid) as caught:
        catalog.add_rule(upstream, evolve(BLOCK, rule_type="allow"))
    text = "20 rules is the maximum allowed per upstream."
    assert caught.value.fields == {"upstream": (text,)}


@pytest.mark.parametrize(
    "rule",
    [
        evolve(BLOCK, pattern=""),
        evolve(BLOCK, pattern="a" * 256),
        evolve(BLOCK, pattern="com.**"),
        evolve(BLOCK, pattern="(", pattern_type="regex"),
    ],
)
def test_a_pattern_that_cannot_be_applied_is_refused(
    catalog: SqlCatalog, registry: int, rule: Rule
) -> None:
    with pytest.raises(Invalid) as caught:
        catalog.add_rule(catalog.upstreams_of(registry)[0][1].id, rule)
    assert list(caught.value.fields) == ["pattern"]
    owned = Ownership(rule.target_coordinate, rule.pattern, ("a",), rule.pattern_type)
    with pytest.raises(Invalid) as caught:
        catalog.set_ownerships(registry, [owned])
    assert list(caught.value.fields) == ["pattern"]


def test_ownerships_are_replaced_whole_and_follow_renamed_upstreams(
    catalog: SqlCatalog, registry: int
) -> None:
    wanted = [
        Ownership("group_id", "com.ours*", ("b", "a")),
        Ownership("version", "^1", ("b",), "regex"),
    ]
    made = catalog.set_ownerships(registry, wanted)
    assert list(made.spec.ownerships) == wanted
    assert catalog.registries() == (made.spec,)
    catalog.change_upstream(catalog.upstreams_of(registry)[1][1].id, {"name": "c"})
    found = catalog.registries()[0].ownerships
    assert [each.upstreams for each in found] == [("c", "a"), ("c",)]
    assert catalog.set_ownerships(registry, wanted[:0]).spec.ownerships == ()


@pytest.mark.parametrize(("upstreams", "named"), [((), "can't be blank"), (("x",), "'x'")])
def test_an_owner_is_an_upstream_of_the_registry(
    catalog: SqlCatalog, registry: int, upstreams: tuple[str, ...], named: str
) -> None:
    with pytest.raises(Invalid, match=named) as caught:
        catalog.set_ownerships(registry, [Ownership("group_id", "com.ours", upstreams)])
    assert list(caught.value.fields) == ["upstreams"]


def test_one_of_several_owners_may_leave(catalog: SqlCatalog, registry: int) -> None:
    catalog.set_ownerships(registry, [Ownership("group_id", "com.ours", ("a", "b"))])
    catalog.disassociate(catalog.upstreams_of(registry)[0][0].id)
    assert catalog.registries()[0].ownerships == (Ownership("group_id", "com.ours", ("b",)),)

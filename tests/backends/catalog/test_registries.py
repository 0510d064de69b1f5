"""Registries that are stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.catalog.conftest import Clock, Open
from virtreg.backends.catalog import ManagementLimits, SqlCatalog
from virtreg.backends.catalog.names import registry_slug, upstream_slug
from virtreg.errors import Conflict, Invalid, NotFound, OutOfDate
from virtreg.testing.catalogs import registry_of


def test_a_registry_is_there_as_it_was_given(catalog: SqlCatalog, clock: Clock) -> None:
    made = catalog.add_registry("g", "maven", {"name": "libs", "description": "Ours"})
    assert catalog.registry(made.spec.id) == made
    assert catalog.registries_of("g", "maven") == [made]
    assert catalog.registries_of("g", "container") == catalog.registries_of("h", "maven") == []
    assert (made.name, made.spec.name, made.spec.description) == ("libs", "libs", "Ours")
    assert (made.created_at, made.updated_at, made.declared) == (clock.now, clock.now, False)
    assert catalog.registries() == (made.spec,)


def test_a_change_keeps_the_rest(catalog: SqlCatalog, clock: Clock) -> None:
    made = catalog.add_registry("g", "maven", {"name": "libs", "description": "Ours"})
    clock.now += 10
    changed = catalog.change_registry(made.spec.id, {"order": "strict"})
    assert (changed.name, changed.spec.description, changed.spec.order) == (
        "libs",
        "Ours",
        "strict",
    )
    assert (changed.created_at, changed.updated_at) == (clock.now - 10, clock.now)
    assert catalog.change_registry(made.spec.id, {"description": None}).spec.description == ""


def test_an_id_is_above_every_declared_one_and_never_given_again(opened: Open) -> None:
    catalog = opened([registry_of(5000)])
    first = catalog.add_registry("g", "maven", {"name": "a"})
    assert first.spec.id > 5000
    catalog.remove_registry(first.spec.id)
    assert catalog.add_registry("g", "maven", {"name": "a"}).spec.id > first.spec.id


@pytest.mark.parametrize(("format_name", "most"), [("maven", 20), ("container", 5)])
def test_a_group_has_so_many_registries(catalog: SqlCatalog, format_name: str, most: int) -> None:
    for number in range(most):
        catalog.add_registry("g", format_name, {"name": f"r{number}"})
    with pytest.raises(Invalid) as caught:
        catalog.add_registry("g", format_name, {"name": "more"})
    text = f"{most} registries is the maximum allowed per group."
    assert caught.value.fields == {"group": (text,)}
    catalog.add_registry("h", format_name, {"name": "more"})


def test_limits_are_settings(opened: Open) -> None:
    limits = ManagementLimits(registries={"maven": 1}, upstreams={"maven": 1})
    catalog = opened(limits=limits)
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    with pytest.raises(Invalid, match="1 registries is the maximum"):
        catalog.add_registry("g", "maven", {"name": "s"})
    catalog.add_upstream(registry, {"name": "u", "url": "https://u.example/"})
    with pytest.raises(Invalid) as caught:
        catalog.add_upstream(registry, {"name": "v", "url": "https://v.example/"})
    text = "must be less than or equal to 1"
    assert caught.value.fields == {"registry_upstreams.position": (text,)}


def test_a_name_is_taken_in_its_group_alone(catalog: SqlCatalog) -> None:
    first = catalog.add_registry("g", "maven", {"name": "libs"})
    other = catalog.add_registry("g", "maven", {"name": "other"}).spec.id
    changes: list[Callable[[], object]] = [
        lambda: catalog.add_registry("g", "maven", {"name": "libs"}),
        lambda: catalog.change_registry(other, {"name": "libs"}),
    ]
    for change in changes:
        with pytest.raises(Invalid) as caught:
            change()
        assert caught.value.fields == {"group_id": ("has already been taken",)}
    theirs = catalog.add_registry("h", "maven", {"name": "libs"})
    assert (theirs.name, theirs.spec.name) == ("libs", f"libs-{theirs.spec.id}")
    assert catalog.registry(first.spec.id) == first
    assert catalog.change_registry(first.spec.id, {"name": "libs"}).name == "libs"


@pytest.mark.parametrize("name", ["1001", "My libs", "v2", "a/b", "..", "Ünïcode", "-", "x--y__z"])
def test_a_name_in_urls_means_one_registry_of_any_format(catalog: SqlCatalog, name: str) -> None:
    made = [catalog.add_registry(group, "maven", {"name": name}) for group in "gh"]
    slugs = [each.spec.name for each in made]
    assert len(set(slugs)) == 2
    for slug in slugs:
        assert not slug.isdecimal()
        assert slug not in {"v2", "api", "virtual_registries"}
        assert slug.replace("-", "").replace("_", "").isalnum()
        assert slug == slug.lower()
        assert slug.isascii()


@given(st.text(max_size=40), st.sets(st.text("ab-1", max_size=8)), st.integers(1, 99))
def test_any_name_has_a_free_slug(name: str, taken: set[str], number: int) -> None:
    slug = registry_slug(name, number, taken.__contains__)
    assert slug not in taken
    assert not slug.isdecimal()
    of_upstream = upstream_slug(name, number, taken.__contains__)
    assert of_upstream not in taken
    assert of_upstream.isascii()
    assert of_upstream.isprintable()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"name": ("can't be blank",)}),
        ({"name": " "}, {"name": ("can't be blank",)}),
        ({"name": "a\nb"}, {"name": ("is invalid",)}),
        ({"name": "a" * 256}, {"name": ("is too long (maximum is 255 characters)",)}),
        (
            {"name": "a", "description": "b" * 1025, "order": "random"},
            {
                "description": ("is too long (maximum is 1024 characters)",),
                "order": ("is not included in the list",),
            },
        ),
        ({"name": "a", "public": True}, {"public": ("is not a field",)}),
    ],
)
def test_fields_that_are_wrong_are_named(
    catalog: SqlCatalog, fields: dict[str, object], wrong: dict[str, tuple[str, ...]]
) -> None:
    before = catalog.revision()
    with pytest.raises(Invalid) as caught:
        catalog.add_registry("g", "maven", fields)
    assert caught.value.fields == wrong
    assert catalog.revision() == before


def test_a_removed_registry_takes_the_upstreams_along_that_no_other_lists(
    catalog: SqlCatalog,
) -> None:
    one, two = (catalog.add_registry("g", "maven", {"name": name}).spec.id for name in "ab")
    own, _ = catalog.add_upstream(one, {"name": "own", "url": "https://own.example/"})
    shared, _ = catalog.add_upstream(one, {"name": "shared", "url": "https://shared.example/"})
    catalog.associate(two, shared.id)
    catalog.remove_registry(one)
    assert catalog.registry(one) is None
    assert catalog.upstream(own.id) is None
    assert catalog.upstream(shared.id) == shared
    assert [place.registry_id for place in catalog.associations_of(shared.id)] == [two]
    with pytest.raises(NotFound, match=f"no registry {one}"):
        catalog.remove_registry(one)


def test_what_was_changed_since_is_left_alone(catalog: SqlCatalog, clock: Clock) -> None:
    clock.now = 1_000_000.9
    number = catalog.add_registry("g", "maven", {"name": "a"}).spec.id
    upstream, _ = catalog.add_upstream(number, {"name": "u", "url": "https://u.example/"})
    for change in (
        lambda: catalog.remove_registry(number, 999_999),
        lambda: catalog.change_registry(number, {"name": "b"}, 999_999),
        lambda: catalog.remove_upstream(upstream.id, 999_999),
        lambda: catalog.change_upstream(upstream.id, {"name": "b"}, 999_999),
    ):
        with pytest.raises(OutOfDate):
            change()
    assert catalog.registries_of("g", "maven")[0].name == "a"
    catalog.remove_upstream(upstream.id, 1_000_000)
    catalog.remove_registry(number, 1_000_000)
    assert catalog.registries() == ()


def test_a_declared_registry_changes_in_its_file_alone(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    ((_, central),) = catalog.upstreams_of(1)
    before = catalog.revision()
    for change in (
        lambda: catalog.change_registry(1, {"name": "b"}),
        lambda: catalog.remove_registry(1),
        lambda: catalog.set_ownerships(1, []),
        lambda: catalog.add_upstream(1, {"name": "u", "url": "https://u.example/"}),
        lambda: catalog.change_upstream(central.id, {"name": "b"}),
        lambda: catalog.remove_upstream(central.id),
    ):
        with pytest.raises(Conflict, match="is declared in the server's configuration file"):
            change()
    assert catalog.revision() == before


def test_listeners_hear_of_every_change_and_of_nothing_else(catalog: SqlCatalog) -> None:
    heard: list[int] = []
    catalog.on_change(lambda: heard.append(catalog.revision()))
    number = catalog.add_registry("g", "maven", {"name": "a"}).spec.id
    with pytest.raises(Invalid):
        catalog.add_registry("g", "maven", {"name": "a"})
    catalog.announce()
    catalog.registries()
    catalog.remove_registry(number)
    assert heard == [1, 2, 3]

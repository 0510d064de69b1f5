"""Positions of upstreams, whatever is done to them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests.backends.catalog.conftest import Open
from virtreg.backends.catalog import SqlCatalog, open_catalog
from virtreg.backends.vault import MasterKeys
from virtreg.errors import Conflict, Invalid, NotFound
from virtreg.testing.catalogs import registry_of

MOST = 20


class Orders(RuleBasedStateMachine):
    """Two registries of a group, and what a list would make of every change."""

    upstreams = Bundle("upstreams")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.catalog = open_catalog(folder / "data", keys=MasterKeys(folder / "secret.key"))
        self.lists: dict[int, list[int]] = {}
        self._made = 0

    @initialize()
    def registries(self) -> None:
        for name in ("one", "two"):
            self.lists[self.catalog.add_registry("g", "maven", {"name": name}).spec.id] = []

    @rule(target=upstreams, which=st.integers(0, 1))
    def add(self, which: int) -> object:
        registry = sorted(self.lists)[which]
        self._made += 1
        fields = {"name": "u", "url": f"https://u.example/{self._made}"}
        if len(self.lists[registry]) == MOST:
            with pytest.raises(Invalid, match="less than or equal to 20"):
                self.catalog.add_upstream(registry, fields)
            return multiple()
        upstream, place = self.catalog.add_upstream(registry, fields)
        self.lists[registry].append(upstream.id)
        assert place.position == len(self.lists[registry])
        return upstream.id

    @rule(upstream=upstreams, which=st.integers(0, 1))
    def associate(self, upstream: int, which: int) -> None:
        registry = sorted(self.lists)[which]
        if upstream in self.lists[registry] or len(self.lists[registry]) == MOST:
            with pytest.raises(Invalid):
                self.catalog.associate(registry, upstream)
            return
        place = self.catalog.associate(registry, upstream)
        self.lists[registry].append(upstream)
        assert place.position == len(self.lists[registry])

    @rule(which=st.integers(0, 1), at=st.integers(0, MOST), to=st.integers(1, MOST))
    def move(self, which: int, at: int, to: int) -> None:
        registry = sorted(self.lists)[which]
        order = self.lists[registry]
        if not order:
            return
        place, _ = self.catalog.upstreams_of(registry)[at % len(order)]
        order.insert(min(to, len(order)) - 1, order.pop(at % len(order)))
        assert self.catalog.move(place.id, to).position == order.index(place.upstream_id) + 1

    @rule(which=st.integers(0, 1), at=st.integers(0, MOST))
    def disassociate(self, which: int, at: int) -> None:
        registry = sorted(self.lists)[which]
        order = self.lists[registry]
        if order:
            place, _ = self.catalog.upstreams_of(registry)[at % len(order)]
            order.remove(place.upstream_id)
            self.catalog.disassociate(place.id)

    @rule(upstream=consumes(upstreams))
    def remove(self, upstream: int) -> None:
        self.catalog.remove_upstream(upstream)
        for order in self.lists.values():
            if upstream in order:
                order.remove(upstream)
        with pytest.raises(NotFound):
            self.catalog.remove_upstream(upstream)

    @invariant()
    def positions_are_dense(self) -> None:
        for registry, order in self.lists.items():
            places = [place for place, _ in self.catalog.upstreams_of(registry)]
            assert [place.upstream_id for place in places] == order
            assert [place.position for place in places] == list(range(1, len(order) + 1))
        for spec in self.catalog.registries():
            assert [each.id for each in spec.upstreams] == self.lists[spec.id]

    def teardown(self) -> None:
        self.catalog.close()
        self._folder.cleanup()


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def fields(name: str) -> dict[str, str]:
    return {"name": name, "url": f"https://{name}.example/"}


def test_a_position_past_what_a_registry_may_have_is_refused(catalog: SqlCatalog) -> None:
    registry = catalog.add_registry("g", "container", {"name": "r"}).spec.id
    _, place = catalog.add_upstream(registry, fields("a"))
    for position, text in ((0, "greater than or equal to 1"), (6, "less than or equal to 5")):
        with pytest.raises(Invalid, match=text) as caught:
            catalog.move(place.id, position)
        assert list(caught.value.fields) == ["position"]


def test_a_move_to_where_it_is_is_no_change(catalog: SqlCatalog) -> None:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    _, place = catalog.add_upstream(registry, fields("a"))
    before = catalog.revision()
    assert catalog.move(place.id, 20) == place
    assert catalog.revision() == before


def test_an_upstream_is_listed_once(catalog: SqlCatalog) -> None:
    registry = catalog.add_registry("g", "maven", {"name": "r"}).spec.id
    upstream, _ = catalog.add_upstream(registry, fields("a"))
    with pytest.raises(Invalid) as caught:
        catalog.associate(registry, upstream.id)
    assert caught.value.fields == {"upstream_id": ("has already been taken",)}


def test_an_upstream_of_another_group_or_format_is_not_there(catalog: SqlCatalog) -> None:
    ours = catalog.add_registry("ours", "maven", {"name": "r"}).spec.id
    theirs = catalog.add_registry("theirs", "maven", {"name": "r"}).spec.id
    images = catalog.add_registry("ours", "container", {"name": "r"}).spec.id
    upstream, _ = catalog.add_upstream(ours, fields("a"))
    for registry in (theirs, images):
        with pytest.raises(NotFound, match=f"no upstream {upstream.id}"):
            catalog.associate(registry, upstream.id)
    with pytest.raises(NotFound, match="no registry 4711"):
        catalog.associate(4711, upstream.id)


def test_the_order_of_a_declared_registry_is_that_of_its_file(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    ((place, central),) = catalog.upstreams_of(1)
    with pytest.raises(Conflict, match="'registry-1' is declared in the server's configuration"):
        catalog.disassociate(place.id)
    with pytest.raises(Conflict, match="change it there"):
        catalog.move(place.id, 1)
    with pytest.raises(Conflict, match="change it there"):
        catalog.associate(1, central.id)


def test_a_declared_upstream_may_be_listed_by_stored_registries_of_its_group(opened: Open) -> None:
    catalog = opened([registry_of(1)])
    ((_, central),) = catalog.upstreams_of(1)
    registry = catalog.add_registry("default", "maven", {"name": "r"}).spec.id
    catalog.associate(registry, central.id)
    stored = catalog.registries()[-1]
    assert stored.upstreams == (central.spec,)
    assert opened([]).registries()[-1].upstreams == ()

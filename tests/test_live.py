"""Following a catalog while it changes."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.service.hub import FILE, SMALL
from virtreg.backends.catalog import MemoryCatalog
from virtreg.backends.index import open_index
from virtreg.backends.store import LocalStore
from virtreg.errors import IndexUnavailable
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.live import Live, Registries
from virtreg.model import RegistrySpec, UpstreamSpec
from virtreg.service.health import GuardedUpstream
from virtreg.service.intake import Intake
from virtreg.service.publishing import Publisher
from virtreg.service.registry import PullThroughRegistry
from virtreg.service.works import Works
from virtreg.testing.fakes import FakeClock, FakeUpstream

CENTRAL = UpstreamSpec("central", "http://central.invalid")
OTHER = UpstreamSpec("other", "http://other.invalid")


class Upstreams:
    """Makes upstreams with one file each, and remembers which were made and closed."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.closed: list[str] = []

    def __call__(self, spec: UpstreamSpec) -> GuardedUpstream:
        self.made.append(spec.name)
        fake = FakeUpstream(spec=spec)
        fake.put(FILE, SMALL)
        return Watched(fake, self.closed)


class Watched(GuardedUpstream):
    def __init__(self, upstream: FakeUpstream, closed: list[str]) -> None:
        super().__init__(upstream, FakeClock())
        self._closed_names = closed

    def close(self) -> None:
        super().close()
        self._closed_names.append(self.spec.name)


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    store, clock = LocalStore(tmp_path), FakeClock()
    index = open_index(tmp_path)
    publisher = Publisher(store, index)
    works = Works(store, index, Intake(store.spool, clock), publisher, clock)
    yield works
    works.close(1)
    index.close()


class Following:
    def __init__(self, works: Works, *specs: RegistrySpec) -> None:
        self.catalog = MemoryCatalog(specs)
        self.upstreams = Upstreams()
        self.told: list[Registries] = []
        self.noticed = threading.Condition()
        self.live = Live(
            self.catalog,
            lambda spec, upstreams: PullThroughRegistry(spec, MavenFormat(), upstreams, works),
            self.upstreams,
        )
        self.live.tell(self.notice)

    def notice(self, registries: Registries) -> None:
        with self.noticed:
            self.told.append(registries)
            self.noticed.notify_all()


def registry(number: int, name: str, *upstreams: UpstreamSpec) -> RegistrySpec:
    return RegistrySpec(number, name, "maven", upstreams)


def pull(registry: PullThroughRegistry) -> bytes:
    with registry.resolve(registry.format.route(FILE)).body as body:
        return b"".join(body.read())


def test_what_the_catalog_lists_is_there_by_name_and_by_id(works: Works) -> None:
    live = Following(works, registry(1, "a", CENTRAL), registry(7, "b", CENTRAL)).live
    assert list(live.registries) == ["a", "b"]
    assert live.registry(7) is live.registries["b"]
    assert live.registry(2) is None
    live.close()


def test_one_upstream_of_two_registries_is_one_object(works: Works) -> None:
    following = Following(works, registry(1, "a", CENTRAL), registry(2, "b", CENTRAL, OTHER))
    assert following.upstreams.made == ["central", "other"]
    following.live.close()
    assert sorted(following.upstreams.closed) == ["central", "other"]


def test_a_change_leaves_other_registries_and_their_upstreams_as_they_were(works: Works) -> None:
    following = Following(works, registry(1, "a", CENTRAL))
    live = following.live
    before = live.registries["a"]
    following.catalog.save(registry(2, "b", CENTRAL, OTHER))
    assert live.refresh()
    assert live.registries["a"] is before
    assert following.upstreams.made == ["central", "other"]
    assert list(following.told[-1]) == ["a", "b"]
    assert not live.refresh()
    live.close()


def test_a_request_under_way_ends_with_the_registry_it_began_with(works: Works) -> None:
    following = Following(works, registry(1, "a", CENTRAL))
    before = following.live.registries["a"]
    following.catalog.remove(1)
    following.live.refresh()
    assert following.live.registries == {}
    assert pull(before) == SMALL
    following.live.close()


def test_an_upstream_that_nobody_lists_or_uses_is_let_go(works: Works) -> None:
    following = Following(works, registry(1, "a", CENTRAL, OTHER))
    before = following.live.registries["a"]
    following.catalog.save(registry(1, "a", CENTRAL))
    following.live.refresh()
    assert following.live.upstream(OTHER) is None
    del before
    following.told.clear()
    gc.collect()
    following.live.close()
    assert following.upstreams.closed == ["central"]


def test_changes_of_others_are_noticed_without_being_asked_for(works: Works) -> None:
    following = Following(works, registry(1, "a", CENTRAL))
    following.live.start()
    with following.noticed:
        following.catalog.save(registry(2, "b", CENTRAL))
        assert following.noticed.wait_for(lambda: len(following.told) == 2, timeout=10)
    assert list(following.live.registries) == ["a", "b"]
    following.live.close()


class Broken(MemoryCatalog):
    broken = False

    def revision(self) -> int:
        if self.broken:
            raise IndexUnavailable("the catalog cannot be read")
        return super().revision()


def test_while_the_catalog_cannot_be_read_all_stays_as_it_was(works: Works) -> None:
    catalog = Broken([registry(1, "a", CENTRAL)])
    live = Live(
        catalog,
        lambda spec, upstreams: PullThroughRegistry(spec, MavenFormat(), upstreams, works),
        Upstreams(),
    )
    catalog.broken = True
    with pytest.raises(IndexUnavailable):
        live.refresh()
    assert pull(live.registries["a"]) == SMALL
    live.close()


class Ailing(MemoryCatalog):
    """Says something else each time that it is asked."""

    def __init__(self, specs: Sequence[RegistrySpec]) -> None:
        super().__init__(specs)
        self.ails = False
        self.looks = 0
        self.looked = threading.Condition()

    def revision(self) -> int:
        if not self.ails:
            return super().revision()
        with self.looked:
            self.looks += 1
            self.looked.notify_all()
        raise IndexUnavailable(f"the catalog cannot be read, {self.looks}")


def test_a_catalog_that_cannot_be_followed_is_told_once(
    works: Works, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = Ailing([registry(1, "a", CENTRAL)])
    live = Live(
        catalog,
        lambda spec, upstreams: PullThroughRegistry(spec, MavenFormat(), upstreams, works),
        Upstreams(),
    )
    catalog.ails = True
    live.start()
    with catalog.looked:
        assert catalog.looked.wait_for(lambda: catalog.looks == 3, 20)
    live.close()
    assert caplog.messages == ["the catalog cannot be followed"]

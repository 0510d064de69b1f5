"""Lists of what the cache holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from tests.service.hub import Hub, MakeHub, entry_of, fake
from tests.service.lines import NAMES, LinesFormat
from virtreg.errors import IndexUnavailable
from virtreg.model import Algorithm
from virtreg.service.digesting import digest
from virtreg.service.listing import Listing
from virtreg.service.resolution import Resolved


def resolve(hub: Hub, format: LinesFormat | None = None, most: int = 100) -> Resolved:  # noqa: A002
    listing = Listing(hub.registry.spec, format or LinesFormat(), hub.works, most=most)
    return listing.resolve(NAMES)


def names(resolved: Resolved) -> list[str]:
    with resolved.body:
        return b"".join(resolved.body.read()).decode().split("\n")


def hold(hub: Hub, upstream: int, *paths: str) -> None:
    source = hub.upstreams[upstream].spec.key
    hub.index.put([entry_of(source, path, b"held") for path in paths])


def test_names_of_all_upstreams_are_listed_once_in_order_of_code_points(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"), fake("b"))
    hold(hub, 0, "b/files/1", "b/files/2", "ä/files/1", "b/c/files/1")
    hold(hub, 1, "b/files/1", "B/files/9", "b-c/files/1", "😀/files/1", "漢/files/1")
    assert names(resolve(hub)) == ["B", "b", "b-c", "b/c", "ä", "漢", "😀"]


def test_what_counts_for_no_name_and_what_others_cached_is_not_listed(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    hold(hub, 0, "a/list", "x/files/1", "z/list")
    hub.index.put([entry_of("another", "secret/files/1", b"held")])
    hub.index.put([entry_of(hub.registry.spec.key, "merged/files/1", b"held")])
    assert names(resolve(hub)) == ["x"]


def test_a_list_is_told_whole_and_never_kept(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    hold(hub, 0, "x/files/1", "y/files/1")
    resolved = resolve(hub)
    assert (resolved.route, resolved.origin, resolved.expires_at) == (NAMES, "hit", 0)
    assert resolved.source == hub.registry.spec.key
    assert resolved.representation.size == resolved.body.size == len(b"x\ny")
    assert resolved.representation.digests == digest([b"x\ny"], Algorithm)
    hold(hub, 0, "z/files/1")
    assert names(resolve(hub)) == ["x", "y", "z"]


def test_an_empty_cache_has_an_empty_list(make_hub: MakeHub) -> None:
    assert names(resolve(make_hub(fake("a")))) == [""]
    assert names(resolve(make_hub())) == [""]


def test_a_list_is_bounded_to_the_first_by_path_over_all_upstreams(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"), fake("b"))
    hold(hub, 0, "a/files/1", "d/files/1", "e/files/1")
    hold(hub, 1, "a/files/1", "b/files/1", "c/files/1")
    assert names(resolve(hub, most=3)) == ["a", "b", "c"]
    assert names(resolve(hub, most=5)) == ["a", "b", "c", "d", "e"]


@define
class Looks:
    paths: list[str] = field(factory=list)


@frozen
class Watched(LinesFormat):
    """Tells which paths were looked at."""

    looks: Looks = field(factory=Looks)

    def shelf(self, path: str) -> tuple[str | None, str]:
        self.looks.paths.append(path)
        return super().shelf(path)


def test_the_paths_of_a_name_are_leapt_over(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    hold(hub, 0, *(f"{name}/files/{number}" for name in "xyz" for number in range(500)))
    format = Watched()  # noqa: A001 - the protocol's word
    assert names(resolve(hub, format)) == ["x", "y", "z"]
    assert format.looks.paths == ["x/files/0", "y/files/0", "z/files/0"]


@frozen
class Still(LinesFormat):
    """Knows no better place to go on than the beginning."""

    def shelf(self, path: str) -> tuple[str | None, str]:
        return super().shelf(path)[0], ""


def test_a_format_that_cannot_leap_ends_all_the_same(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    hold(hub, 0, "x/files/1", "x/files/2", "x/list", "y/files/1")
    assert names(resolve(hub, Still())) == ["x", "y"]


def test_an_index_that_cannot_be_asked_is_told(make_hub: MakeHub) -> None:
    hub = make_hub(fake("a"))
    hub.index.close()
    with pytest.raises(IndexUnavailable):
        resolve(hub)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(Path(tmp_path_factory.mktemp("shared")), [fake("a"), fake("b")])
    yield hub
    hub.close()


NAME = st.text("ab-.", min_size=1, max_size=2)
PATH = st.tuples(
    st.lists(NAME, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["files/1", "files/9", "files/漢", "list"]),
)


@given(st.sets(PATH, max_size=12), st.sets(PATH, max_size=12))
def test_leaping_finds_what_reading_everything_finds(
    shared: Hub, first: set[tuple[str, str]], second: set[tuple[str, str]]
) -> None:
    for at, paths in enumerate((first, second)):
        shared.index.drop(shared.upstreams[at].spec.key)
        hold(shared, at, *(f"{name}/{rest}" for name, rest in paths))
    held = {name for name, rest in first | second if rest.startswith("files")}
    assert names(resolve(shared)) == (sorted(held) or [""])

"""Quotas of groups and the disk's own: what there is no room for is served and not kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.service.hub import FILE, LARGE, OTHER, SMALL, Got, MakeHub, fake
from tests.service.keeping.bed import CENTRAL, GROUP, HUB, OTHERS, Bed
from virtreg.errors import NoRoom
from virtreg.events import Filled, FillFailed
from virtreg.managed import Reclaimed
from virtreg.service.keeping import Keeping
from virtreg.service.publishing import Publisher
from virtreg.service.room import Room
from virtreg.service.usage import Usage
from virtreg.testing.gate import Gate


def room(bed: Bed, **options: Any) -> Room:
    made = Room(bed.index, bed.catalog, bed.clock, **options)
    made.look()
    return made


def test_without_a_quota_everything_is_kept(bed: Bed) -> None:
    assert room(bed).allows(CENTRAL.key, 2**50)
    assert room(bed).allows("unknown", 2**50)


def test_streaming_ends_keeping_exactly_at_the_quota(bed: Bed) -> None:
    bed.settings(storage_quota=100, when_full="stream")
    bed.keep(CENTRAL, "p", b"x" * 40)
    bed.keep(HUB, "q", b"y" * 30)
    full = room(bed)
    assert not full.allows(CENTRAL.key, 31)
    assert full.allows(HUB.key, 20)
    assert full.allows(CENTRAL.key, 10)
    assert not full.allows(CENTRAL.key, 1)
    assert full.allows(OTHERS.key, 1000)
    assert full.overfull() == []
    bed.index.drop(HUB.key)
    full.look()
    assert full.allows(CENTRAL.key, 60)


def test_evicting_keeps_what_fits_and_asks_for_an_eviction(bed: Bed) -> None:
    bed.settings(storage_quota=100, when_full="evict")
    filled = threading.Event()
    full = room(bed, filled=filled.set)
    assert full.allows(CENTRAL.key, 100)
    assert not filled.is_set()
    assert full.allows(HUB.key, 1)
    assert filled.is_set()
    assert [settings.group for settings in full.overfull()] == [GROUP]
    assert not full.allows(CENTRAL.key, 101)


def test_a_nearly_full_disk_is_left_to_downloads_on_their_way(bed: Bed) -> None:
    free = [1000]
    full = room(bed, free=lambda: free[0], reserve=600)
    assert full.allows(CENTRAL.key, 400)
    assert not full.allows(CENTRAL.key, 401)
    free[0] = 500
    assert full.allows(CENTRAL.key, 1)  # believed for a second
    bed.clock.advance(1)
    assert not full.allows(CENTRAL.key, 1)
    free[0] = 1000
    bed.clock.advance(1)
    assert full.allows(CENTRAL.key, 1)


def test_threads_together_keep_no_more_than_the_quota(bed: Bed) -> None:
    bed.settings(storage_quota=1000, when_full="stream")
    full = room(bed)
    with ThreadPoolExecutor(8) as threads:
        kept = list(threads.map(lambda _: full.allows(CENTRAL.key, 7), range(400)))
    assert sum(kept) == 1000 // 7


def keeping(bed: Bed, full: Room) -> Keeping:
    return Keeping(bed.cleaner(), full, bed.clock)


def test_an_eviction_takes_the_least_recent_of_the_group_alone(bed: Bed) -> None:
    bed.settings(storage_quota=100, when_full="evict")
    for number in range(12):
        bed.keep((CENTRAL, HUB)[number % 2], f"{number:02}", b"%010d" % number, used=True)
        bed.clock.advance(10)
    bed.keep(OTHERS, "theirs", b"x" * 1000)
    bed.clock.advance(600)
    full = room(bed)
    maker = keeping(bed, full)
    maker.make_room()
    assert bed.index.used([CENTRAL.key, HUB.key]) == 90
    assert bed.paths(CENTRAL)[0] == "04"
    assert bed.paths(HUB)[0] == "03"
    assert bed.paths(OTHERS) == ["theirs"]
    assert full.overfull() == []
    assert bed.findings() == []
    maker.close()


def test_a_full_group_is_evicted_in_the_background(bed: Bed) -> None:
    bed.settings(storage_quota=100, when_full="evict")
    for number in range(12):
        bed.keep(CENTRAL, f"{number:02}", b"%010d" % number)
    bed.clock.advance(600)
    full = room(bed)
    removed = threading.Event()
    cleaner = bed.cleaner(settle=removed.set)
    maker = Keeping(cleaner, full, bed.clock)
    maker.start()
    assert removed.wait(20)
    maker.close()
    assert len(bed.paths(CENTRAL)) <= 10
    assert "virtreg-eviction" not in {thread.name for thread in threading.enumerate()}
    assert "virtreg-cleanup" not in {thread.name for thread in threading.enumerate()}


def test_nothing_is_evicted_while_another_process_does(bed: Bed) -> None:
    bed.keep(CENTRAL, "p", b"x" * 100)
    bed.clock.advance(600)
    assert bed.index.lease(f"evict {GROUP}", "another", bed.clock(), 60)
    assert bed.cleaner().evict(GROUP, 0) == Reclaimed()
    bed.clock.advance(60)
    assert bed.cleaner().evict(GROUP, 0) == Reclaimed(1, 100)


class Full(Room):
    """Never has room."""

    def __init__(self) -> None:
        """Nothing is asked."""

    def allows(self, source: str, size: int = 0) -> bool:
        return False


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_what_is_not_kept_is_served_whole_and_leaves_nothing(
    make_hub: MakeHub, content: bytes
) -> None:
    a = fake("a")
    a.put(FILE, content)
    hub = make_hub(a, room=Full())
    for _ in range(2):
        assert hub.get(FILE).body == content
        hub.events.wait(FillFailed, FILE)
    together = [got for got in hub.together(8, FILE) if isinstance(got, Got)]
    assert [got.body for got in together] == [content] * 8
    hub.works.close(20)
    assert hub.entry(a, FILE) is None
    assert hub.blobs() == set()
    assert list((hub.folder / "store" / "spool").glob("*/*.part")) == []
    assert hub.events.of(Filled) == []
    told = hub.events.of(FillFailed)[0]
    assert told.reason == "there is no room for it"


def test_who_joins_a_download_that_is_not_kept_gets_all_of_it(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, stall=stall)
    hub = make_hub(a, room=Full())
    first = hub.resolve(FILE)
    stall.await_arrival()
    joined = hub.resolve(FILE)
    assert joined.origin == "joined"
    stall.release()
    with first.body, joined.body:
        assert b"".join(first.body.read()) == LARGE
        hub.events.wait(FillFailed, FILE)
        assert b"".join(joined.body.read()) == LARGE
        assert joined.body.size == len(LARGE)


def test_what_was_kept_before_is_served_from_the_cache(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.put(OTHER, SMALL + b"other")
    hub = make_hub(a)
    hub.pull(FILE)
    publisher = Publisher(hub.store, hub.index, Full())
    with pytest.raises(NoRoom):
        publisher.now(hub.index.page(a.spec.key)[0], SMALL)
    publisher.close()
    assert hub.get(FILE).origin == "hit"


def test_usage_is_added_up_once_a_minute(bed: Bed) -> None:
    bed.keep(CENTRAL, "p", b"12345")
    usage = Usage(bed.index, bed.clock)
    assert usage.by_source() == ({CENTRAL.key: (1, 5)}, bed.clock())
    bed.keep(HUB, "q", b"123")
    bed.clock.advance(59)
    assert usage.of([CENTRAL.key, HUB.key]) == (1, 5)
    bed.clock.advance(1)
    assert usage.of([CENTRAL.key, HUB.key, "nowhere"]) == (2, 8)

"""Having paths cached in the background."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.service.hub import FILE, LARGE, OTHER, SMALL, MakeHub, fake
from virtreg.errors import NotFound
from virtreg.events import Filled
from virtreg.service.prefetching import Crowded, Prefetching
from virtreg.service.registry import PullThroughRegistry
from virtreg.testing.gate import Gate


def test_a_large_body_is_fetched_whole_and_kept(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub, prefetching = make_hub(a), Prefetching()
    (future,) = prefetching.add(hub.registry, [hub.route(FILE)])
    future.result(20)
    # Its readers do not wait until it is kept, and neither does the future.
    hub.events.wait_until(lambda: bool(hub.events.of(Filled, FILE)), "end of the download")
    entry = hub.entry(a, FILE)
    assert entry is not None
    assert entry.size == len(LARGE)
    prefetching.close()


def test_one_failure_is_its_own(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(OTHER, SMALL)
    hub, prefetching = make_hub(a), Prefetching()
    missing, there = prefetching.add(hub.registry, [hub.route(FILE), hub.route(OTHER)])
    assert isinstance(missing.exception(20), NotFound)
    there.result(20)
    prefetching.close()


def test_no_more_are_asked_for_at_once_than_there_are_threads(make_hub: MakeHub) -> None:
    a, gate = fake("a"), Gate()
    paths = [f"org/example/a/{number}/a-{number}.bin" for number in range(4)]
    for path in paths:
        a.put(path, SMALL, hold=gate)
    hub, prefetching = make_hub(a), Prefetching(threads=2)
    futures = prefetching.add(hub.registry, [hub.route(path) for path in paths])
    gate.await_arrival()
    gate.await_arrival()
    assert sum(a.count(path) for path in paths) == 2
    gate.release()
    for future in futures:
        future.result(20)
    assert [a.count(path) for path in paths] == [1] * 4
    prefetching.close()


def test_closing_gives_up_what_waits(make_hub: MakeHub) -> None:
    a, gate = fake("a"), Gate()
    a.put(FILE, SMALL, hold=gate)
    a.put(OTHER, SMALL)
    hub, prefetching = make_hub(a), Prefetching(threads=1)
    running, waiting = prefetching.add(hub.registry, [hub.route(FILE), hub.route(OTHER)])
    gate.await_arrival()
    prefetching.close()
    assert waiting.cancelled()
    gate.release()
    running.result(20)
    assert a.count(OTHER) == 0


def test_beyond_the_limit_nothing_is_fetched_until_something_has_ended(make_hub: MakeHub) -> None:
    a, gate = fake("a"), Gate()
    a.put(FILE, SMALL, hold=gate)
    a.put(OTHER, SMALL)
    hub, prefetching = make_hub(a), Prefetching(threads=2, most_waiting=1)
    (running,) = prefetching.add(hub.registry, [hub.route(FILE)])
    gate.await_arrival()
    with pytest.raises(Crowded) as refused:
        prefetching.add(hub.registry, [hub.route(OTHER)])
    assert refused.value.retry_after == 10
    assert a.count(OTHER) == 0
    gate.release()
    running.result(20)
    hub.flush()
    prefetching.close()


def test_a_group_whose_upstreams_are_slow_keeps_no_other_waiting(make_hub: MakeHub) -> None:
    a, gate = fake("a"), Gate()
    a.put(FILE, SMALL, hold=gate)
    a.put(OTHER, SMALL)
    slow = make_hub(a)
    quick = PullThroughRegistry(
        evolve(slow.registry.spec, name="quick", group="others"),
        slow.registry.format,
        slow.guarded,
        slow.works,
    )
    prefetching = Prefetching(threads=1, most_waiting=1)
    (held,) = prefetching.add(slow.registry, [slow.route(FILE)])
    gate.await_arrival()
    (other,) = prefetching.add(quick, [slow.route(OTHER)])
    other.result(20)
    with pytest.raises(Crowded):
        prefetching.add(slow.registry, [slow.route(OTHER)])
    gate.release()
    held.result(20)
    slow.flush()
    prefetching.close()
    with pytest.raises(Crowded):
        prefetching.add(quick, [slow.route(OTHER)])

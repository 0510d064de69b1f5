"""Upstreams that count requests, and upstreams that are not to be asked at all."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.service.hub import fake
from virtreg.errors import Offline, UpstreamThrottled
from virtreg.model import Fetch, Quota
from virtreg.service.health import SPENT, GuardedUpstream
from virtreg.testing.fakes import FakeClock

PATH = "v2/app/manifests/1"
METERED = Fetch(PATH, metered=True)
FREE = Fetch(PATH, method="HEAD", metered=True)


def test_what_an_upstream_says_of_its_quota_is_known() -> None:
    upstream = fake("a")
    upstream.put(
        PATH, b"{}", headers={"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "7;w=21600"}
    )
    with closing(GuardedUpstream(upstream, FakeClock())) as guarded:
        guarded.fetch(METERED).close()
        assert guarded.quota == Quota(100, 7, 21600)


def test_a_used_up_quota_holds_back_what_counts_and_nothing_else() -> None:
    upstream, clock = fake("a"), FakeClock()
    upstream.put(PATH, b"{}", headers={"ratelimit-remaining": "0;w=21600"})
    with closing(GuardedUpstream(upstream, clock)) as guarded:
        guarded.fetch(METERED).close()
        with pytest.raises(UpstreamThrottled, match="quota is used up") as told:
            guarded.fetch(METERED)
        assert told.value.retry_after == SPENT
        guarded.fetch(Fetch(PATH)).close()
        guarded.fetch(FREE).close()
        clock.advance(SPENT)
        guarded.fetch(METERED).close()
        assert [(each.method, each.metered) for each in upstream.requests] == [
            ("GET", True),
            ("GET", False),
            ("HEAD", True),
            ("GET", True),
        ]


def test_a_429_to_what_counts_leaves_the_rest_alone_for_as_long_as_it_says() -> None:
    upstream, clock = fake("a"), FakeClock()
    upstream.put(PATH, b"{}")
    upstream.fail(UpstreamThrottled("a: 429", upstream="a", retry_after=120))
    with closing(GuardedUpstream(upstream, clock)) as guarded:
        with pytest.raises(UpstreamThrottled):
            guarded.fetch(METERED)
        upstream.heal()
        guarded.fetch(FREE).close()
        clock.advance(119)
        with pytest.raises(UpstreamThrottled):
            guarded.fetch(METERED)
        clock.advance(1)
        guarded.fetch(METERED).close()


def test_a_429_to_anything_else_leaves_the_upstream_alone() -> None:
    upstream, clock = fake("a"), FakeClock()
    upstream.put(PATH, b"{}")
    upstream.fail(UpstreamThrottled("a: 429", upstream="a", retry_after=120))
    with closing(GuardedUpstream(upstream, clock)) as guarded:
        with pytest.raises(UpstreamThrottled):
            guarded.fetch(Fetch(PATH))
        upstream.heal()
        with pytest.raises(UpstreamThrottled, match="slow down"):
            guarded.fetch(FREE)


def test_offline_nobody_is_asked() -> None:
    upstream = fake("a")
    upstream.put(PATH, b"{}")
    with closing(GuardedUpstream(upstream, FakeClock(), offline=True)) as guarded:
        with pytest.raises(Offline, match="a was not asked"):
            guarded.fetch(METERED)
        assert upstream.requests == []

"""How an upstream does, as it is told."""

from __future__ import annotations

import pytest

from tests.service.hub import FILE, SMALL, MakeHub, down, fake
from virtreg.errors import UpstreamError, UpstreamRefused, UpstreamThrottled
from virtreg.model import Quota
from virtreg.service.health import Failure, Health

WELL = Health("closed", None, None, None)


def test_an_upstream_that_answers_is_well(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    hub = make_hub(a)
    assert hub.guarded[0].health() == WELL
    hub.pull(FILE)
    assert hub.guarded[0].health() == WELL


def test_the_last_failure_is_told_after_it_has_passed(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.fail(down())
    hub = make_hub(a)
    failed_at = hub.clock()
    with pytest.raises(UpstreamError):
        hub.get(FILE)
    a.heal()
    hub.clock.advance(60)
    hub.pull(FILE)
    failure = Failure("upstream_unavailable", failed_at)
    assert hub.guarded[0].health() == Health("closed", None, None, failure)


def test_a_refusal_is_a_failure_and_no_reason_to_leave_it_alone(make_hub: MakeHub) -> None:
    a = fake("a")
    a.fail(UpstreamRefused("401 to secret/path", upstream="a"))
    hub = make_hub(a)
    for _ in range(9):
        with pytest.raises(UpstreamError):
            hub.get(FILE)
    failure = Failure("upstream_refused", hub.clock())
    assert hub.guarded[0].health() == Health("closed", None, None, failure)


def test_a_body_that_breaks_off_is_a_failure(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL, cut_after=10, sized=False)
    hub = make_hub(a)
    with pytest.raises(UpstreamError):
        hub.get(FILE)
    assert hub.guarded[0].health().failure == Failure("upstream_unavailable", hub.clock())


def test_an_upstream_that_keeps_failing_is_told_to_be_left_alone(make_hub: MakeHub) -> None:
    a = fake("a")
    a.fail(down())
    hub = make_hub(a)
    for _ in range(5):
        with pytest.raises(UpstreamError):
            hub.get(FILE)
    health = hub.guarded[0].health()
    assert (health.breaker, health.retry_after) == ("open", 5)
    hub.clock.advance(5)
    health = hub.guarded[0].health()
    assert (health.breaker, health.retry_after) == ("half_open", None)


def test_a_pause_that_was_asked_for_is_told(make_hub: MakeHub) -> None:
    a = fake("a")
    a.fail(UpstreamThrottled("429", upstream="a", retry_after=30))
    hub = make_hub(a)
    with pytest.raises(UpstreamThrottled):
        hub.get(FILE)
    health = hub.guarded[0].health()
    assert (health.breaker, health.retry_after) == ("open", 30)
    assert health.failure == Failure("upstream_throttled", hub.clock())


def test_what_is_left_of_a_quota_is_told(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(
        FILE,
        SMALL,
        headers={"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600"},
    )
    hub = make_hub(a)
    hub.pull(FILE)
    assert hub.guarded[0].health().quota == Quota(100, 76, 21600)

"""Callers that ask too often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from virtreg.testing.fakes import FakeClock
from virtreg.wsgi.addresses import Addresses
from virtreg.wsgi.limits import RequestLimit, TooManyRequests


def test_an_address_may_ask_so_often_and_again_when_time_has_passed() -> None:
    clock = FakeClock()
    limit = RequestLimit(3, 15, clock=clock)
    for _ in range(3):
        limit.check({"REMOTE_ADDR": "198.51.100.7"})
    with pytest.raises(TooManyRequests) as caught:
        limit.check({"REMOTE_ADDR": "198.51.100.7"})
    assert caught.value.status == 429
    assert caught.value.retry_after == pytest.approx(5)
    limit.check({"REMOTE_ADDR": "198.51.100.8"})
    clock.advance(5)
    limit.check({"REMOTE_ADDR": "198.51.100.7"})


def test_loopback_is_an_address_like_others() -> None:
    limit = RequestLimit(1, 15)
    limit.check({"REMOTE_ADDR": "127.0.0.1"})
    with pytest.raises(TooManyRequests):
        limit.check({"REMOTE_ADDR": "127.0.0.1"})


def test_callers_behind_a_trusted_proxy_are_told_apart() -> None:
    limit = RequestLimit(1, 15, Addresses(["127.0.0.0/8"]))
    limit.check({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"})
    limit.check({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.8"})
    with pytest.raises(TooManyRequests):
        limit.check({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"})


def test_many_threads_get_no_more_than_one() -> None:
    limit = RequestLimit(500, 1000, clock=FakeClock())

    def ask(_: int) -> bool:
        try:
            limit.check({"REMOTE_ADDR": "198.51.100.7"})
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(ask, range(1000))) == 500

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from attrs import define, field

from virtreg.backends.auth.hashing import Hashing, TooManySignIns
from virtreg.errors import Unauthenticated
from virtreg.model import Principal


@define
class Slow:
    """A check that lasts until it is let go."""

    begun: Event = field(factory=Event)
    go: Event = field(factory=Event)
    error: Exception | None = None

    def __call__(self) -> Principal:
        self.begun.set()
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        return Principal("ann")


def never() -> Principal:
    raise AssertionError("checked although too many wait")


def test_no_more_than_so_many_different_ones_wait() -> None:
    hashing, slow = Hashing(1), Slow()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(hashing.run, b"a", slow)
        assert slow.begun.wait(20)
        with pytest.raises(TooManySignIns) as refusal:
            hashing.run(b"b", never)
        assert (refusal.value.status, refusal.value.retry_after) == (503, 1)
        slow.go.set()
        assert first.result(20) == Principal("ann")
    assert hashing.run(b"b", lambda: Principal("ben")) == Principal("ben")


@pytest.mark.parametrize("error", [None, Unauthenticated("wrong password")])
def test_the_same_ones_may_wait_in_any_number(error: Exception | None) -> None:
    hashing, slow = Hashing(1), Slow(error=error)
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(hashing.run, b"a", slow)
        assert slow.begun.wait(20)
        others = [threads.submit(hashing.run, b"a", slow) for _ in range(8)]
        with pytest.raises(TooManySignIns):
            hashing.run(b"b", never)
        slow.go.set()
        for one in (first, *others):
            assert one.exception(20) is error

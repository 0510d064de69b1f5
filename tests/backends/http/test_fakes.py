"""The fakes' faults and the gate."""

from __future__ import annotations

import threading

import pytest

from virtreg.errors import UpstreamError, UpstreamThrottled, UpstreamUnavailable
from virtreg.model import Fetch, Validators
from virtreg.testing.fakes import FakeClock, FakeUpstream
from virtreg.testing.gate import Gate
from virtreg.testing.upstreams import read_all


def test_time_moves_only_when_told() -> None:
    clock = FakeClock(10.0)
    assert clock() == 10
    assert clock.advance(2.5) == 12.5
    assert clock() == 12.5


def test_a_fault_of_one_path_leaves_the_others_alone_until_healed() -> None:
    upstream = FakeUpstream({"a": b"x", "b": b"y"})
    upstream.fail(UpstreamThrottled("slow down", upstream="fake", retry_after=3), "a")
    with pytest.raises(UpstreamThrottled):
        upstream.fetch(Fetch("a"))
    assert upstream.fetch(Fetch("b")).status == 200
    upstream.heal()
    assert upstream.fetch(Fetch("a")).status == 200
    assert upstream.count("a") == 2


def test_a_fault_of_everything_hits_absent_paths_too() -> None:
    upstream = FakeUpstream()
    upstream.fail(UpstreamUnavailable("down", upstream="fake"))
    with pytest.raises(UpstreamError, match="down"):
        upstream.fetch(Fetch("a"))


def test_a_cut_body_ends_in_an_error_and_resumes() -> None:
    upstream = FakeUpstream()
    upstream.put("a", b"0123456789", cut_after=4)
    reply = upstream.fetch(Fetch("a"))
    assert (reply.length, reply.read(100)) == (10, b"0123")
    with pytest.raises(UpstreamUnavailable, match="cut after 4"):
        reply.read(100)
    upstream.put("a", b"0123456789")
    resumed = upstream.fetch(Fetch("a", offset=4))
    assert (resumed.status, read_all(resumed)) == (206, b"456789")


def test_an_unsized_body_without_validators_is_never_unchanged() -> None:
    upstream = FakeUpstream()
    upstream.put("a", b"x", sized=False, etag=None, headers={"x-checksum-sha1": "0"})
    reply = upstream.fetch(Fetch("a", known=Validators('"e"')))
    assert (reply.status, reply.length, reply.headers["x-checksum-sha1"]) == (200, None, "0")
    assert "etag" not in reply.headers
    upstream.remove("a")
    assert upstream.fetch(Fetch("a")).status == 404


def test_replies_and_the_upstream_tell_whether_they_were_closed() -> None:
    upstream = FakeUpstream({"a": b"x"})
    upstream.fetch(Fetch("a")).close()
    upstream.fetch(Fetch("a"))
    assert [reply.closed for reply in upstream.replies] == [True, False]
    upstream.close()
    assert upstream.closed


def test_gates_hold_the_answer_and_the_end_of_the_body() -> None:
    hold, stall = Gate(), Gate()
    upstream = FakeUpstream()
    upstream.put("a", b"body", hold=hold, stall=stall)
    got: list[bytes] = []

    def ask() -> None:
        reply = upstream.fetch(Fetch("a"))
        got.append(reply.read(100))
        got.append(reply.read(100))

    asker = threading.Thread(target=ask)
    asker.start()
    hold.await_arrival()
    assert (got, upstream.count("a")) == ([], 1)
    hold.release()
    stall.await_arrival()
    assert got == [b"body"]
    stall.release()
    asker.join()
    assert got == [b"body", b""]


def test_a_gate_nobody_reaches_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="nobody"):
        Gate().await_arrival(timeout=0.01)

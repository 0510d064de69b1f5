"""Bodies that break off."""

from __future__ import annotations

import hashlib

import pytest

from tests.service.hub import FILE, LARGE, SMALL, Background, Hub, MakeHub, fake
from virtreg.errors import (
    IntegrityError,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from virtreg.events import Filled, FillFailed
from virtreg.model import Algorithm, Fetch, Freshness, Route, UpstreamSpec
from virtreg.testing.fakes import FakeReply, FakeUpstream
from virtreg.testing.gate import Gate

POM = "org/example/a/1.0/a-1.0.pom"
CUT = 600_000
OTHER = LARGE[::-1]
FIXED = Route(
    FILE, Freshness.IMMUTABLE, digest=(Algorithm.SHA256, hashlib.sha256(LARGE).hexdigest())
)


class Rangeless(FakeUpstream):
    """Refuses every request for a part: 416, or what servers say that know no ranges."""

    def fetch(self, request: Fetch) -> FakeReply:
        reply = super().fetch(request)
        if request.offset:
            reply.close()
            raise UpstreamError("416 Range Not Satisfiable", upstream=self.spec.name)
        return reply


class Busy(FakeUpstream):
    """Has no time for the first requests for a rest."""

    def __init__(self, *refusals: UpstreamError) -> None:
        super().__init__(spec=fake("a").spec)
        self._refusals = list(refusals)

    def fetch(self, request: Fetch) -> FakeReply:
        reply = super().fetch(request)
        if request.offset and self._refusals:
            reply.close()
            raise self._refusals.pop(0)
        return reply


class Overlong(FakeUpstream):
    """Promises one byte fewer than it has."""

    def fetch(self, request: Fetch) -> FakeReply:
        reply = super().fetch(request)
        if reply.length:
            reply.length -= 1
        return reply


def asked_for(upstream: FakeUpstream, path: str = FILE) -> list[tuple[int, str | None]]:
    """Where each request for the file began, and its condition."""
    return [(asked.offset, asked.if_range) for asked in upstream.requests if asked.path == path]


def cut_then(
    hub: Hub,
    upstream: FakeUpstream,
    body: bytes,
    etag: str | None,
    route: Route | str = FILE,
) -> Background:
    """Pull LARGE, cut it at CUT, and go on with ``body`` in its place."""
    stall = Gate()
    upstream.put(FILE, LARGE, etag=etag, cut_after=CUT, stall=stall)
    pulling = Background(lambda: hub.pull(route))
    stall.await_arrival()
    upstream.put(FILE, body, etag=etag if body == LARGE else '"other"')
    stall.release()
    return pulling


def test_a_cut_body_is_resumed_where_a_strong_validator_makes_that_safe(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, etag='"1"', cut_after=CUT)
    hub = make_hub(a)
    assert hub.pull(FILE).body == LARGE
    assert asked_for(a) == [(0, None), (CUT, '"1"')]
    assert len(hub.events.of(Filled, FILE)) == 1


@pytest.mark.parametrize("etag", [None, 'W/"1"'], ids=["no validator", "a weak one"])
def test_without_a_strong_validator_it_is_sent_again_and_compared(
    make_hub: MakeHub, etag: str | None
) -> None:
    a = fake("a")
    hub = make_hub(a)
    assert cut_then(hub, a, LARGE, etag).result().body == LARGE
    assert asked_for(a) == [(0, None), (0, None)]


@pytest.mark.parametrize("etag", [None, 'W/"1"', '"1"'], ids=["none", "weak", "strong"])
def test_a_digest_that_the_path_fixes_makes_a_resume_safe_whatever_the_validator(
    make_hub: MakeHub, etag: str | None
) -> None:
    a = fake("a")
    hub = make_hub(a)
    assert cut_then(hub, a, LARGE, etag, FIXED).result().body == LARGE
    assert asked_for(a) == [(0, None), (CUT, None)]


def test_a_rest_of_other_bytes_is_found_out_by_the_digest(make_hub: MakeHub) -> None:
    a = fake("a")
    hub = make_hub(a)
    with pytest.raises(IntegrityError, match="sha256"):
        cut_then(hub, a, OTHER, '"1"', FIXED).result()
    hub.events.wait(FillFailed, FILE)
    assert hub.blobs() == set()


@pytest.mark.parametrize("route", [FIXED, Route(FILE)], ids=["digest", "validator"])
def test_where_no_range_is_taken_the_whole_is_sent_again_and_compared(
    make_hub: MakeHub, route: Route
) -> None:
    a = Rangeless(spec=UpstreamSpec("a", "http://a.invalid"))
    hub = make_hub(a)
    assert cut_then(hub, a, LARGE, '"1"', route).result().body == LARGE
    assert [offset for offset, _ in asked_for(a)] == [0, CUT, 0]


def test_who_has_no_time_for_the_rest_now_is_asked_again(make_hub: MakeHub) -> None:
    a = Busy(
        UpstreamThrottled("a: 429", upstream="a", retry_after=0.0),
        UpstreamBusy("a: all 16 connections busy", upstream="a", retry_after=0.01),
    )
    hub = make_hub(a)
    assert cut_then(hub, a, LARGE, '"1"').result().body == LARGE
    assert asked_for(a) == [(0, None), *[(CUT, '"1"')] * 3]


def test_who_refuses_the_rest_is_not_asked_again(make_hub: MakeHub) -> None:
    a = Busy(UpstreamRefused("a: 403 Forbidden", upstream="a"))
    hub = make_hub(a)
    pulling = cut_then(hub, a, LARGE, '"1"')
    with pytest.raises(UpstreamRefused):
        pulling.result()
    assert asked_for(a) == [(0, None), (CUT, '"1"')]


def test_a_body_that_breaks_off_after_its_last_promised_byte_is_whole(make_hub: MakeHub) -> None:
    a = Overlong(spec=UpstreamSpec("a", "http://a.invalid"))
    a.put(FILE, LARGE + b"!", cut_after=len(LARGE))
    hub = make_hub(a)
    assert hub.pull(FILE).body == LARGE
    assert asked_for(a) == [(0, None)]


def test_one_download_that_fails_does_not_shut_its_upstream_out(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, cut_after=CUT, stall=stall)
    a.put(POM, b"<project/>")
    hub = make_hub(a)
    pulling = Background(lambda: hub.pull(FILE))
    stall.await_arrival()
    a.fail(UpstreamUnavailable("a is down", upstream="a"), FILE)
    stall.release()
    with pytest.raises(UpstreamUnavailable, match="a is down"):
        pulling.result()
    assert a.count(FILE) == 4
    assert hub.get(POM).body == b"<project/>"


@pytest.mark.parametrize("etag", ['"1"', None], ids=["told by the validator", "found out"])
@pytest.mark.parametrize("body", [OTHER, LARGE + b"!", LARGE[:CUT], b""], ids=len)
def test_a_file_that_changed_meanwhile_is_no_continuation(
    make_hub: MakeHub, etag: str | None, body: bytes
) -> None:
    a = fake("a")
    hub = make_hub(a)
    with pytest.raises(IntegrityError, match="changed at a while it was being downloaded"):
        cut_then(hub, a, body, etag).result()
    hub.events.wait(FillFailed, FILE)
    assert hub.blobs() == set()
    assert hub.pull(FILE).body == body


def test_a_file_that_is_gone_meanwhile_is_told(make_hub: MakeHub) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, LARGE, cut_after=CUT, stall=stall)
    hub = make_hub(a)
    pulling = Background(lambda: hub.get(FILE))
    stall.await_arrival()
    a.remove(FILE)
    stall.release()
    with pytest.raises(IntegrityError, match="no longer has the file"):
        pulling.result()


def test_a_body_cut_while_it_is_compared_is_compared_again(make_hub: MakeHub) -> None:
    first, second = Gate(), Gate()
    a = fake("a")
    a.put(FILE, LARGE, etag=None, cut_after=CUT, stall=first)
    hub = make_hub(a)
    pulling = Background(lambda: hub.pull(FILE))
    first.await_arrival()
    a.put(FILE, LARGE, etag=None, cut_after=CUT // 2, stall=second)
    first.release()
    second.await_arrival()
    a.put(FILE, LARGE, etag=None)
    second.release()
    assert pulling.result().body == LARGE
    assert len(asked_for(a)) == 3


def test_a_transfer_that_gets_nowhere_is_given_up_and_told(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, etag=None, cut_after=CUT)
    hub = make_hub(a)
    with pytest.raises(UpstreamUnavailable, match="connection cut"):
        hub.get(FILE)
    assert len(asked_for(a)) == 4
    (failed,) = hub.events.wait(FillFailed, FILE)
    assert failed.upstream == "a"
    assert hub.blobs() == set()
    hub.close()
    assert list((hub.folder / "store" / "spool").glob("*/*")) == []


@pytest.mark.parametrize("cut", [0, 10, 4999], ids=["no byte", "first bytes", "nearly all"])
def test_a_small_body_that_breaks_off_is_asked_for_again(make_hub: MakeHub, cut: int) -> None:
    stall = Gate()
    a = fake("a")
    a.put(FILE, SMALL, cut_after=cut, stall=stall)
    hub = make_hub(a)
    pulling = Background(lambda: hub.pull(FILE))
    stall.await_arrival()
    a.put(FILE, SMALL)
    stall.release()
    assert pulling.result().body == SMALL
    assert asked_for(a) == [(0, None), (0, None)]


def test_what_comes_the_second_time_is_examined_as_well(make_hub: MakeHub) -> None:
    stall = Gate()
    pom = b"<project/>".ljust(10_000)
    a = fake("a")
    a.put(POM, pom, cut_after=5000, stall=stall)
    hub = make_hub(a)
    pulling = Background(lambda: hub.get(POM))
    stall.await_arrival()
    a.put(POM, b"<html>Please sign in</html>")
    stall.release()
    with pytest.raises(IntegrityError, match="got an HTML page"):
        pulling.result()
    assert hub.blobs() == set()


def test_a_download_that_goes_on_byte_by_byte_has_the_time_of_one_exchange(
    make_hub: MakeHub,
) -> None:
    a = fake("a", total_timeout=0.0)
    a.put(FILE, LARGE, cut_after=600_000)
    hub = make_hub(a)
    with pytest.raises(UpstreamUnavailable), hub.resolve(FILE).body as body:
        b"".join(body.read())
    assert a.count(FILE) == 1

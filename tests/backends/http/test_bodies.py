"""Bodies: as they arrive, whole or an error, and in time."""

from __future__ import annotations

import pytest

from tests.backends.http.peers import RawServer, fetched, get, read_into, upstream
from virtreg.errors import UpstreamTimeout, UpstreamUnavailable
from virtreg.model import Fetch
from virtreg.testing.origin import Gate, Origin
from virtreg.testing.upstreams import read_all

BODY = b"0123456789" * 1000


def test_bytes_come_as_they_arrive() -> None:
    stall = Gate()
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", BODY, stall_after=5000, stall=stall)
        with fetched(up, "a") as reply:
            first = b""
            while len(first) < 5000:
                first += reply.read(1_000_000)
            stall.release()
            assert first + read_all(reply) == BODY


@pytest.mark.parametrize("cut", [0, 1, 5000, 9999])
def test_a_short_body_is_a_cut_after_its_bytes(cut: int) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", BODY, cut_after=cut, only_times=1)
        with fetched(up, "a") as reply:
            assert reply.length == len(BODY)
            pieces: list[bytes] = []
            with pytest.raises(UpstreamUnavailable, match=f"cut after {cut} of 10000 bytes"):
                read_into(pieces, reply)
            assert b"".join(pieces) == BODY[:cut]
            with pytest.raises(UpstreamUnavailable, match="cut"):
                reply.read(65536)
        assert get(up, "a") == (200, BODY)


def test_a_length_that_promises_too_much_is_a_cut() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", BODY, declared_length=len(BODY) + 1, close=True)
        with (
            fetched(up, "a") as reply,
            pytest.raises(UpstreamUnavailable, match="10000 of 10001 bytes"),
        ):
            read_all(reply)


def test_bytes_beyond_the_length_never_reach_the_next_answer() -> None:
    with Origin({"b": b"fine"}) as origin, upstream(origin.url) as up:
        origin.put("a", b"x" * 100_000, declared_length=10)
        for _ in range(3):
            assert get(up, "a") == (200, b"x" * 10)
            assert get(up, "b") == (200, b"fine")


def test_a_chunked_body_has_no_length() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", BODY, chunked=True)
        for _ in range(2):
            with fetched(up, "a") as reply:
                assert reply.length is None
                assert read_all(reply, 77) == BODY
        assert len({seen.connection for seen in origin.requests}) == 1


@pytest.mark.parametrize("cut", [0, 5000])
def test_a_cut_chunked_body_is_never_an_end(cut: int) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", BODY, chunked=True, cut_after=cut)
        with (
            fetched(up, "a") as reply,
            pytest.raises(UpstreamUnavailable, match=f"cut after {cut} bytes"),
        ):
            read_all(reply)


def test_a_body_may_end_with_the_connection() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", BODY, until_close=True)
        for _ in range(2):
            assert get(up, "a") == (200, BODY)


@pytest.mark.parametrize("sent", [0, 5000])
def test_a_stall_is_a_timeout(sent: int) -> None:
    with Origin() as origin, upstream(origin.url, read_timeout=0.1) as up:
        origin.put("a", BODY, stall_after=sent)
        with fetched(up, "a") as reply, pytest.raises(UpstreamTimeout, match=r"in 0\.1 s"):
            read_all(reply)


def test_a_silent_server_is_a_timeout() -> None:
    with Origin() as origin, upstream(origin.url, read_timeout=0.1) as up:
        origin.put("a", BODY, hold=Gate())
        with pytest.raises(UpstreamTimeout, match=r"no first byte in 0\.1 s"):
            up.fetch(Fetch("a"))
        assert get(up, "b")[0] == 404


def test_the_whole_exchange_is_limited_whatever_the_silence() -> None:
    with Origin() as origin, upstream(origin.url, total_timeout=0.2) as up:
        origin.put("a", BODY, stall_after=5000)
        with fetched(up, "a") as reply, pytest.raises(UpstreamTimeout, match=r"over in 0\.2 s"):
            read_all(reply)


def test_headers_count_against_the_whole_exchange() -> None:
    with (
        RawServer(b"HTTP/1.1 200 OK\r\nX-Half: ") as server,
        upstream(server.url, total_timeout=0.2) as up,
        pytest.raises(UpstreamTimeout, match=r"over in 0\.2 s"),
    ):
        up.fetch(Fetch("a"))


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
        b"HTTP/1.1 200 OK\r\nContent-Length : 1",
        b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 1",
        b"HTTP/1.1 200 OK\r\n folded: first\r\nContent-Length: 1",
        b"garbage",
        b"HTTP/1.1 abc OK",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200,
    ],
)
def test_malformed_heads_are_no_answer(head: bytes) -> None:
    with (
        RawServer(head + b"\r\n\r\n") as server,
        upstream(server.url) as up,
        pytest.raises(UpstreamUnavailable, match=r"malformed|Transfer-Encoding"),
    ):
        up.fetch(Fetch("a"))


def test_a_closed_reply_is_not_an_ended_one() -> None:
    with Origin({"a": BODY}) as origin, upstream(origin.url) as up:
        reply = up.fetch(Fetch("a"))
        reply.close()
        with pytest.raises(ValueError, match="closed"):
            reply.read(1)


def test_reading_nothing_is_a_mistake() -> None:
    with (
        Origin({"a": BODY}) as origin,
        upstream(origin.url) as up,
        fetched(up, "a") as reply,
        pytest.raises(ValueError, match="limit"),
    ):
        reply.read(0)


def test_a_head_has_the_length_a_get_would_have() -> None:
    with Origin({"a": BODY}) as origin, upstream(origin.url) as up:
        with fetched(up, Fetch("a", method="HEAD")) as reply:
            assert reply.length == len(BODY)
            assert reply.read(1) == b""
        assert get(up, "a") == (200, BODY)
        assert len({seen.connection for seen in origin.requests}) == 1

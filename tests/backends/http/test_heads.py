"""Heads of responses: whole, final, bounded in lines and in time."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from tests.backends.http.peers import RawServer, Script, fetched, get, upstream
from virtreg.errors import UpstreamTimeout, UpstreamUnavailable
from virtreg.model import Fetch
from virtreg.testing.upstreams import read_all

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("interim", [HINT, CONTINUE, b"HTTP/1.1 102 Processing\r\n\r\n" * 3])
def test_interim_responses_are_not_the_answer(interim: bytes) -> None:
    answers = [interim + answer(b"a"), interim + answer(b"b")]
    with Script(answers) as server, upstream(server.url) as up:
        assert get(up, "a") == (200, b"a")
        assert get(up, "b") == (200, b"b")


@pytest.mark.parametrize("interim", [HINT, CONTINUE])
def test_interim_responses_without_end_are_malformed(interim: bytes) -> None:
    with (
        RawServer(interim * 1000) as server,
        upstream(server.url) as up,
        pytest.raises(UpstreamUnavailable, match="malformed"),
    ):
        up.fetch(Fetch("a"))


def test_a_switch_of_protocols_nobody_asked_for_is_malformed() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    with (
        RawServer(switch) as server,
        upstream(server.url) as up,
        pytest.raises(UpstreamUnavailable, match="malformed"),
    ):
        up.fetch(Fetch("a"))


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
    ],
)
def test_a_head_that_is_cut_is_no_answer(head: bytes) -> None:
    with (
        Script([head], hang_up=True) as server,
        upstream(server.url) as up,
        pytest.raises(UpstreamUnavailable, match="connection closed"),
    ):
        up.fetch(Fetch("a"))


@pytest.mark.parametrize("body", [b"1\r\nx\r\n0", b"1\r\nx\r\n0\r\n", b"1\r\nx\r\n0\r\nX-End: y"])
def test_a_chunked_body_that_is_cut_near_its_end_is_cut(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        Script([head + body], hang_up=True) as server,
        upstream(server.url) as up,
        fetched(up, "a") as reply,
        pytest.raises(UpstreamUnavailable, match="cut after 1 bytes"),
    ):
        read_all(reply)


def test_trailers_are_read_over() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = [head + b"1\r\nx\r\n0\r\nX-End: y\r\n\r\n", answer(b"b")]
    with Script(answers) as server, upstream(server.url) as up:
        assert get(up, "a") == (200, b"x")
        assert get(up, "b") == (200, b"b")


def test_trailers_without_end_are_cut() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    with (
        RawServer(head + b"X: y\r\n" * 1000) as server,
        upstream(server.url) as up,
        fetched(up, "a") as reply,
        pytest.raises(UpstreamUnavailable, match="cut after 1 bytes"),
    ):
        read_all(reply)


class Dripping(RawServer):
    """Sends a head that never ends, a byte at a time, faster than a silence is long."""

    def converse(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not self._done.wait(0.02):
            connection.sendall(b"y")


def test_a_head_that_drips_is_a_timeout() -> None:
    with (
        Dripping(b"") as server,
        upstream(server.url, read_timeout=0.3, total_timeout=30) as up,
        pytest.raises(UpstreamTimeout, match=r"no end of the headers in 0\.3 s"),
    ):
        up.fetch(Fetch("a"))


def test_the_time_for_the_head_is_not_that_of_the_body() -> None:
    parts: Sequence[bytes] = [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", b"a", b"b", b"c"]
    with (
        Script(parts, pause=0.2, once=True) as server,
        upstream(server.url, read_timeout=0.5) as up,
    ):
        assert get(up, "a") == (200, b"abc")

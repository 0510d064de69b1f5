"""What each status means."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.backends.http.peers import RawServer, fetched, get, upstream
from virtreg.errors import (
    IntegrityError,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from virtreg.model import Fetch, Validators
from virtreg.testing.origin import Origin


@pytest.mark.parametrize("status", [404, 410])
def test_absence_is_answered(status: int) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", status=status)
        assert get(up, "a")[0] == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, UpstreamRefused),
        (403, UpstreamRefused),
        (429, UpstreamThrottled),
        (400, UpstreamError),
        (407, UpstreamUnavailable),
        (408, UpstreamUnavailable),
        (414, UpstreamError),
        (416, UpstreamError),
        (501, UpstreamError),
        (500, UpstreamUnavailable),
        (502, UpstreamUnavailable),
        (503, UpstreamUnavailable),
        (504, UpstreamUnavailable),
        (201, UpstreamUnavailable),
        (300, UpstreamUnavailable),
    ],
)
def test_other_statuses_are_errors_that_name_upstream_and_status(
    status: int, kind: type[UpstreamError]
) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", status=status)
        with pytest.raises(UpstreamError) as caught:
            up.fetch(Fetch("a"))
        assert type(caught.value) is kind
        assert caught.value.upstream == "up"
        assert caught.value.message.startswith(f"upstream 'up': {status} ")
        assert get(up, "b")[0] == 404


@pytest.mark.parametrize(
    ("status", "value", "seconds"), [(429, "7", 7), (503, "7", 7), (429, "9999", 300)]
)
def test_retry_after_is_carried(status: int, value: str, seconds: float) -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", status=status, headers={"Retry-After": value})
        with pytest.raises(UpstreamThrottled) as caught:
            up.fetch(Fetch("a"))
    assert caught.value.retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        date = formatdate(time.time() + 100, usegmt=True)
        origin.put("a", status=503, headers={"Retry-After": date})
        with pytest.raises(UpstreamThrottled) as caught:
            up.fetch(Fetch("a"))
    assert 50 < (caught.value.retry_after or 0) <= 100


def test_a_malformed_retry_after_does_not_hide_a_throttle() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", status=429, headers={"Retry-After": "soon"})
        with pytest.raises(UpstreamThrottled) as caught:
            up.fetch(Fetch("a"))
    assert caught.value.retry_after is None


def test_unchanged_keeps_the_connection_and_has_no_body() -> None:
    with Origin({"a": b"x"}) as origin, upstream(origin.url) as up:
        with fetched(up, "a") as first:
            known = Validators(first.headers["etag"], first.headers["last-modified"])
        with fetched(up, Fetch("a", known=known)) as reply:
            assert (reply.status, reply.length, reply.read(1)) == (304, 0, b"")
        assert get(up, "a") == (200, b"x")
        assert len({seen.connection for seen in origin.requests}) == 1


def test_unchanged_to_an_unconditional_request_is_corrupt() -> None:
    answer = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    with (
        RawServer(answer) as server,
        upstream(server.url) as up,
        pytest.raises(IntegrityError, match="304"),
    ):
        up.fetch(Fetch("a"))


def test_a_resume_is_answered_from_the_offset() -> None:
    with Origin({"a": b"0123456789"}) as origin, upstream(origin.url) as up:
        with fetched(up, Fetch("a", offset=4)) as reply:
            assert (reply.status, reply.length) == (206, 6)
        assert get(up, Fetch("a", offset=4)) == (206, b"456789")


def test_a_resume_an_origin_ignores_is_the_whole_body() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"0123456789", ranges=False)
        assert get(up, Fetch("a", offset=4)) == (200, b"0123456789")


def test_a_resume_from_another_offset_is_corrupt() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"0123456789", range_shift=1)
        with pytest.raises(IntegrityError, match="offset asked for, 4"):
            up.fetch(Fetch("a", offset=4))


@pytest.mark.parametrize("offset", [0, 4])
@pytest.mark.parametrize(
    "extra", [b"", b"Content-Range: bytes 0-1/2\r\n", b"Content-Range: lines 4-5/6\r\n"]
)
def test_a_partial_answer_nobody_asked_for_is_corrupt(extra: bytes, offset: int) -> None:
    answer = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n" + extra + b"\r\nab"
    with (
        RawServer(answer) as server,
        upstream(server.url) as up,
        pytest.raises(IntegrityError, match="206"),
    ):
        up.fetch(Fetch("a", offset=offset))


def test_a_compressed_body_is_corrupt() -> None:
    with Origin() as origin, upstream(origin.url) as up:
        origin.put("a", b"x" * 100, gzip=True)
        with pytest.raises(IntegrityError, match="Content-Encoding"):
            up.fetch(Fetch("a"))


def test_a_null_character_in_a_header_is_a_space() -> None:
    answer = b'HTTP/1.1 404 No\r\nETag: "a\0b"\r\nContent-Length: 0\r\n\r\n'
    with RawServer(answer) as server, upstream(server.url) as up, fetched(up, "a") as reply:
        assert reply.headers["etag"] == '"a b"'


def test_repeated_and_folded_headers_are_one_line() -> None:
    answer = b"HTTP/1.1 404 No\r\nX-A: 1\r\nx-a: 2\r\nX-B: one\r\n two\r\nContent-Length: 0\r\n\r\n"
    with RawServer(answer) as server, upstream(server.url) as up, fetched(up, "a") as reply:
        assert reply.headers["x-a"] == "1, 2"
        assert reply.headers["x-b"] == "one two"

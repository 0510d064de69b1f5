"""The registry over a real server on loopback that misbehaves."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.service.hub import DAY, FILE, LARGE, SMALL, MakeHub
from virtreg.backends.http.upstream import HttpUpstream
from virtreg.errors import (
    IntegrityError,
    NotFound,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from virtreg.events import Filled, FillFailed
from virtreg.model import UpstreamSpec
from virtreg.testing.gate import Gate
from virtreg.testing.origin import Origin

Connect = Callable[..., HttpUpstream]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes HTTP upstreams for loopback URLs."""
    made: list[HttpUpstream] = []

    def make(url: str, **settings: Any) -> HttpUpstream:
        spec = UpstreamSpec("a", url, allow_private=("127.0.0.0/8",), **settings)
        made.append(HttpUpstream(spec))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()


@pytest.mark.parametrize("status", [404, 410])
def test_only_these_statuses_mean_absent_and_are_remembered(
    make_hub: MakeHub, origin: Origin, connect: Connect, status: int
) -> None:
    origin.put(FILE, status=status)
    hub = make_hub(connect(origin.url))
    for _ in range(2):
        with pytest.raises(NotFound) as caught:
            hub.get(FILE)
        assert caught.value.answers[0].outcome == "absent"
    assert origin.count(FILE) == 1


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ({"status": 401}, UpstreamRefused),
        ({"status": 403}, UpstreamRefused),
        ({"status": 429}, UpstreamThrottled),
        ({"status": 400}, UpstreamError),
        ({"status": 500}, UpstreamUnavailable),
        ({"status": 503}, UpstreamUnavailable),
        ({"status": 503, "headers": {"Retry-After": "1"}}, UpstreamThrottled),
        ({"silent": True}, UpstreamUnavailable),
    ],
    ids=str,
)
def test_every_other_answer_is_an_error_and_forgotten(
    make_hub: MakeHub,
    origin: Origin,
    connect: Connect,
    behaviour: dict[str, Any],
    error: type[UpstreamError],
) -> None:
    origin.put(FILE, **behaviour)
    hub = make_hub(connect(origin.url))
    with pytest.raises(error):
        hub.get(FILE)
    origin.put(FILE, SMALL)
    hub.clock.advance(301)
    assert hub.get(FILE).body == SMALL


def test_silence_is_a_timeout_and_no_absence(
    make_hub: MakeHub, origin: Origin, connect: Connect
) -> None:
    hold = Gate()
    origin.put(FILE, SMALL, hold=hold)
    hub = make_hub(connect(origin.url, read_timeout=0.1))
    with pytest.raises(UpstreamTimeout):
        hub.get(FILE)
    hold.release()
    assert hub.get(FILE).body == SMALL


def test_a_server_that_is_not_there_is_no_absence(make_hub: MakeHub, connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    hub = make_hub(connect(f"http://127.0.0.1:{port}"))
    with pytest.raises(UpstreamUnavailable):
        hub.get(FILE)


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    "behaviour",
    [{}, {"chunked": True}, {"cut_after": 3000}, {"cut_after": 3000, "ranges": False}],
    ids=str,
)
def test_a_body_arrives_however_it_is_framed_and_if_it_is_cut_once(
    make_hub: MakeHub, origin: Origin, connect: Connect, body: bytes, behaviour: dict[str, Any]
) -> None:
    origin.put(FILE, body, only_times=1, **behaviour)
    hub = make_hub(connect(origin.url))
    assert hub.pull(FILE).body == body
    assert len(hub.events.of(Filled, FILE)) == 1


def test_a_resume_asks_for_the_rest_of_the_same_bytes_only(
    make_hub: MakeHub, origin: Origin, connect: Connect
) -> None:
    origin.put(FILE, LARGE, only_times=1, cut_after=600_000)
    hub = make_hub(connect(origin.url))
    assert hub.pull(FILE).body == LARGE
    first, second = [seen for seen in origin.requests if seen.path == FILE]
    entry = hub.entry(hub.upstreams[0], FILE)
    assert entry is not None
    assert "range" not in first.headers
    assert second.headers["range"].startswith("bytes=")
    assert second.headers["if-range"] == entry.etag


def test_a_stale_copy_costs_one_conditional_request(
    make_hub: MakeHub, origin: Origin, connect: Connect
) -> None:
    origin.put(FILE, LARGE)
    hub = make_hub(connect(origin.url))
    hub.pull(FILE)
    hub.clock.advance(DAY)
    assert hub.get(FILE).origin == "revalidated"
    asked = [seen.headers for seen in origin.requests if seen.path == FILE]
    entry = hub.entry(hub.upstreams[0], FILE)
    assert entry is not None
    assert asked[-1]["if-none-match"] == entry.etag
    assert asked[-1]["if-modified-since"] == entry.last_modified


def test_one_connection_is_enough_to_disprove_a_large_body(
    make_hub: MakeHub, origin: Origin, connect: Connect
) -> None:
    origin.put(FILE, LARGE)
    origin.put(f"{FILE}.sha1", b"0" * 40)
    hub = make_hub(connect(origin.url, max_connections=1, read_timeout=1))
    with hub.resolve(FILE).body as body, pytest.raises(IntegrityError, match="sha1"):
        b"".join(body.read())
    hub.events.wait(FillFailed, FILE)
    assert hub.blobs() == set()


def test_a_body_whose_end_alone_was_cut_off_is_whole_after_a_second_try(
    make_hub: MakeHub, origin: Origin, connect: Connect
) -> None:
    cut = len(LARGE)
    origin.put(FILE, LARGE, only_times=1, chunked=True, cut_after=cut, conditional=False)
    hub = make_hub(connect(origin.url))
    assert hub.pull(FILE).body == LARGE
    assert hub.get(FILE).origin == "hit"

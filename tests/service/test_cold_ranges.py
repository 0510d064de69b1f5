"""Ranges of bodies that are still arriving."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from tests.service.hub import FILE, Background, MakeHub, fake
from virtreg.backends.http.upstream import HttpUpstream
from virtreg.core.multipart import multipart
from virtreg.errors import (
    IntegrityError,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from virtreg.events import Filled, FillFailed
from virtreg.model import Algorithm, Fetch, Freshness, Route, UpstreamSpec
from virtreg.service.spool import LEAP, PIECE, Spool
from virtreg.testing.fakes import FakeReply, FakeUpstream
from virtreg.testing.gate import Gate
from virtreg.testing.origin import Origin
from virtreg.wsgi.transfer import transfer

BODY = random.Random(20).randbytes(20 * 1024 * 1024)
SIZE = len(BODY)
ARRIVED = 1024 * 1024
"""How much of BODY is there when the download stands still."""
FIXED = Route(
    FILE, Freshness.IMMUTABLE, digest=(Algorithm.SHA256, hashlib.sha256(BODY).hexdigest())
)
NAMED = Route(FILE)


class Stalled:
    """A download that stands still after ARRIVED bytes; whatever else is asked of the upstream is
    answered at once, until told otherwise."""

    def __init__(
        self,
        make_hub: MakeHub,
        upstream: FakeUpstream,
        route: Route = FIXED,
        body: bytes = BODY,
        **settings: Any,
    ) -> None:
        self._gate = Gate()
        self._settings = settings
        self._sent = body
        self.upstream = upstream
        upstream.put(FILE, body, cut_after=ARRIVED, stall=self._gate, **settings)
        self.hub = make_hub(upstream)
        self.body = self.hub.resolve(route).body
        self._gate.await_arrival()
        self.heal()

    def heal(self) -> None:
        """Let the upstream answer well."""
        self.upstream.heal()
        self.upstream.put(FILE, self._sent, **self._settings)

    def read(self, start: int, stop: int | None = None) -> bytes:
        return b"".join(self.body.read(start, stop))

    def leaps(self) -> list[tuple[int, int, str | None]]:
        """What was asked for besides the download, which has no ``stop``."""
        return [
            (asked.offset, asked.stop, asked.if_range)
            for asked in self.upstream.requests
            if asked.stop is not None
        ]

    def release(self) -> None:
        """Let the download go on."""
        self._gate.release()

    def go_on(self) -> None:
        """Let the download end, and wait for it."""
        self.release()
        events = self.hub.events
        events.wait_until(lambda: bool(events.of(Filled) or events.of(FillFailed)), "end")
        self.body.close()

    def read_while_it_goes_on(self, meanwhile: Gate) -> bytes:
        """The last bytes, where the request for them passes ``meanwhile`` before it comes to
        nothing and then all is well again."""
        reading = Background(lambda: self.read(SIZE - 3 * PIECE, SIZE))
        meanwhile.await_arrival()
        self.heal()
        meanwhile.release()
        self.release()
        got: bytes = reading.result()
        self.go_on()
        return got


def test_the_end_of_a_body_is_had_while_its_download_stands_still(make_hub: MakeHub) -> None:
    stalled = Stalled(make_hub, fake("a"))
    assert stalled.read(SIZE - 1024, SIZE) == BODY[-1024:]
    assert stalled.leaps() == [(SIZE - 1024, SIZE, None)]
    stalled.go_on()
    (filled,) = stalled.hub.events.of(Filled)
    assert filled.size == SIZE
    assert stalled.hub.get(FIXED).body == BODY


@pytest.mark.parametrize("stop", [None, SIZE, SIZE + 1])
def test_a_read_to_the_end_leaps_in_pieces(make_hub: MakeHub, stop: int | None) -> None:
    stalled = Stalled(make_hub, fake("a"))
    start = SIZE - 4 * PIECE - 1
    pieces = list(stalled.body.read(start, stop))
    assert b"".join(pieces) == BODY[start:]
    assert max(len(piece) for piece in pieces) == PIECE
    assert stalled.leaps() == [(start, SIZE, None)]
    stalled.go_on()


def test_several_far_ranges_at_once_are_each_their_own(make_hub: MakeHub) -> None:
    stalled = Stalled(make_hub, fake("a"))
    starts = [SIZE - at * 100_000 for at in range(1, 9)]
    with ThreadPoolExecutor(len(starts)) as threads:
        got = list(threads.map(lambda start: stalled.read(start, start + 100_000), starts))
    assert got == [BODY[start : start + 100_000] for start in starts]
    assert len(stalled.leaps()) == len(starts)
    stalled.go_on()
    assert stalled.hub.get(FIXED).body == BODY


def test_the_far_parts_of_several_are_had_in_turn(make_hub: MakeHub) -> None:
    stalled = Stalled(make_hub, fake("a"))
    spans = [(SIZE - 10, SIZE), (100, 200), (SIZE - 5000, SIZE - 4000)]
    plan = multipart("boundary", "application/octet-stream", spans, SIZE)
    answer = b"".join(transfer(stalled.hub.resolve(FIXED).body, plan))
    assert len(answer) == plan.length
    assert all(BODY[start:stop] in answer for start, stop in spans)
    assert stalled.leaps() == [(SIZE - 10, SIZE, None), (SIZE - 5000, SIZE - 4000, None)]
    stalled.go_on()


def test_what_is_there_is_read_from_the_file_and_a_whole_read_never_leaps(
    make_hub: MakeHub,
) -> None:
    stalled = Stalled(make_hub, fake("a"))
    assert stalled.read(1000, 2000) == BODY[1000:2000]
    whole = stalled.body.read()
    assert BODY.startswith(next(whole))
    rest = Background(lambda: b"".join(whole))
    stalled.go_on()
    assert BODY.endswith(rest.result())
    assert stalled.leaps() == []


def test_a_reader_waits_for_a_few_bytes_and_leaps_over_more(tmp_path: Path) -> None:
    with closing(Spool(tmp_path / "one.part", SIZE)) as spool:
        spool.append(BODY[:1000])
        spool.append(BODY[1000:1010])
        visible = 1000
        assert not spool.far_from(visible + LEAP)
        assert spool.far_from(visible + LEAP + 1)
        spool.fail(UpstreamUnavailable("cut", upstream="a"))
        assert not spool.far_from(SIZE)


@pytest.mark.parametrize("start", [SIZE, SIZE + 1])
def test_past_the_end_there_is_nothing_to_leap_for(make_hub: MakeHub, start: int) -> None:
    stalled = Stalled(make_hub, fake("a"))
    reading = Background(lambda: stalled.read(start))
    stalled.go_on()
    assert reading.result() == b""
    assert stalled.leaps() == []


def test_a_strong_validator_makes_a_leap_safe(make_hub: MakeHub) -> None:
    stalled = Stalled(make_hub, fake("a"), NAMED, etag='"1"')
    assert stalled.read(SIZE - 1024, SIZE) == BODY[-1024:]
    assert stalled.leaps() == [(SIZE - 1024, SIZE, '"1"')]
    stalled.go_on()


@pytest.mark.parametrize(
    ("route", "settings"),
    [(NAMED, {"etag": None}), (NAMED, {"etag": 'W/"1"'}), (FIXED, {"sized": False})],
    ids=["no validator", "a weak one", "no size"],
)
def test_without_what_makes_it_safe_the_download_is_waited_for(
    make_hub: MakeHub, route: Route, settings: dict[str, Any]
) -> None:
    stalled = Stalled(make_hub, fake("a"), route, **settings)
    reading = Background(lambda: stalled.read(SIZE - 1024, SIZE))
    stalled.go_on()
    assert reading.result() == BODY[-1024:]
    assert stalled.leaps() == []


@pytest.mark.parametrize(
    "error",
    [
        UpstreamBusy("all 16 connections busy", upstream="a"),
        UpstreamRefused("403 Forbidden", upstream="a"),
        UpstreamTimeout("no first byte", upstream="a"),
        UpstreamError("416 Range Not Satisfiable", upstream="a"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_where_the_upstream_gives_no_range_the_download_is_waited_for(
    make_hub: MakeHub, error: UpstreamError
) -> None:
    meanwhile = Gate()
    stalled = Stalled(make_hub, fake("a"))
    stalled.upstream.put(FILE, BODY, hold=meanwhile)
    stalled.upstream.fail(error)
    assert stalled.read_while_it_goes_on(meanwhile) == BODY[-3 * PIECE :]
    assert len(stalled.leaps()) == 1


@pytest.mark.parametrize("body", [BODY + b"!", BODY[: SIZE - 4 * PIECE], b""], ids=len)
def test_a_range_of_a_body_of_another_length_is_none_of_this_one(
    make_hub: MakeHub, body: bytes
) -> None:
    meanwhile = Gate()
    stalled = Stalled(make_hub, fake("a"))
    stalled.upstream.put(FILE, body, hold=meanwhile)
    assert stalled.read_while_it_goes_on(meanwhile) == BODY[-3 * PIECE :]
    assert len(stalled.leaps()) == 1


def test_a_range_of_a_body_that_changed_is_none_of_this_one(make_hub: MakeHub) -> None:
    meanwhile = Gate()
    stalled = Stalled(make_hub, fake("a"), NAMED, etag='"1"')
    stalled.upstream.put(FILE, BODY[::-1], etag='"2"', hold=meanwhile)
    assert stalled.read_while_it_goes_on(meanwhile) == BODY[-3 * PIECE :]
    assert len(stalled.leaps()) == 1


class Unlike(FakeUpstream):
    """Answers a range with another one, as told by ``shift``."""

    shift: Callable[[Fetch], Fetch]

    def fetch(self, request: Fetch) -> FakeReply:
        return super().fetch(request if request.stop is None else self.shift(request))


@pytest.mark.parametrize(
    "shift",
    [
        lambda asked: evolve(asked, offset=asked.offset - 1),
        lambda asked: evolve(asked, stop=asked.stop - 1),
        lambda asked: evolve(asked, offset=0, stop=None),
    ],
    ids=["begins elsewhere", "ends elsewhere", "no range"],
)
def test_another_range_than_asked_for_is_not_taken(
    make_hub: MakeHub, shift: Callable[[Fetch], Fetch]
) -> None:
    meanwhile = Gate()
    upstream = Unlike(spec=UpstreamSpec("a", "http://a.invalid"))
    upstream.shift = shift
    stalled = Stalled(make_hub, upstream)
    upstream.put(FILE, BODY, hold=meanwhile)
    assert stalled.read_while_it_goes_on(meanwhile) == BODY[-3 * PIECE :]


@pytest.mark.parametrize("cut", [0, PIECE + 5])
def test_a_leap_that_breaks_off_is_ended_out_of_the_file(make_hub: MakeHub, cut: int) -> None:
    meanwhile = Gate()
    stalled = Stalled(make_hub, fake("a"))
    stalled.upstream.put(FILE, BODY, cut_after=cut, stall=meanwhile)
    assert stalled.read_while_it_goes_on(meanwhile) == BODY[-3 * PIECE :]
    assert len(stalled.leaps()) == 1
    assert stalled.hub.get(FIXED).body == BODY


def test_a_body_that_turns_out_wrong_is_never_had_whole_whatever_left_before(
    make_hub: MakeHub,
) -> None:
    wrong = BODY[:-1] + bytes([BODY[-1] ^ 1])
    stalled = Stalled(make_hub, fake("a"), body=wrong)
    assert stalled.read(SIZE - 1024, SIZE) == wrong[-1024:]
    leaping = stalled.body.read(SIZE - 4 * PIECE, SIZE)
    assert next(leaping) == BODY[SIZE - 4 * PIECE : SIZE - 3 * PIECE]
    got: list[bytes] = []
    whole = Background(lambda: got.extend(stalled.body.read()))
    stalled.release()
    with pytest.raises(IntegrityError, match="sha256"):
        whole.result()
    assert sum(map(len, got)) <= SIZE - PIECE
    with pytest.raises(IntegrityError, match="sha256"):
        next(leaping)
    stalled.go_on()
    assert stalled.hub.blobs() == set()
    assert stalled.hub.entry(stalled.upstream, FILE) is None


def test_a_reader_that_leaves_gives_its_connection_back(make_hub: MakeHub) -> None:
    stalled = Stalled(make_hub, fake("a", max_connections=2))
    for _ in range(3):
        reading = transfer(
            stalled.hub.resolve(FIXED).body,
            multipart("boundary", None, [(SIZE - 3 * PIECE, SIZE - PIECE), (SIZE - 9, SIZE)], SIZE),
        )
        pieces = iter(reading)
        assert b"boundary" in next(pieces)
        assert next(pieces) == BODY[SIZE - 3 * PIECE : SIZE - 2 * PIECE]
        assert not stalled.upstream.replies[-1].closed
        reading.close()  # type: ignore[attr-defined] # PEP 3333 has it optional
        assert stalled.upstream.replies[-1].closed
    assert len(stalled.leaps()) == 3
    stalled.go_on()


def test_readers_take_half_of_the_connections_at_most(make_hub: MakeHub) -> None:
    stalled = Stalled(make_hub, fake("a", max_connections=3))
    first = stalled.body.read(SIZE - 3 * PIECE, SIZE)
    next(first)
    second = Background(lambda: stalled.read(SIZE - 10, SIZE))
    stalled.go_on()
    assert second.result() == BODY[-10:]
    assert b"".join(first) == BODY[-2 * PIECE :]
    assert stalled.leaps() == [(SIZE - 3 * PIECE, SIZE, None)]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.mark.parametrize("route", [FIXED, NAMED], ids=["digest", "validator"])
def test_a_real_server_is_asked_for_the_range_beside_the_download(
    make_hub: MakeHub, origin: Origin, route: Route
) -> None:
    gate = Gate()
    origin.put(FILE, BODY, only_times=1, stall_after=ARRIVED, stall=gate)
    spec = UpstreamSpec("a", origin.url, allow_private=("127.0.0.0/8",))
    with closing(HttpUpstream(spec)) as upstream:
        hub = make_hub(upstream)
        with hub.resolve(route).body as body:
            gate.await_arrival()
            assert b"".join(body.read(SIZE - 1024, SIZE)) == BODY[-1024:]
            assert b"".join(body.read(SIZE - 9000, SIZE - 8000)) == BODY[-9000:-8000]
            assert hub.events.of(Filled) == []
            gate.release()
            hub.events.wait(Filled, FILE)
        assert hub.get(route).body == BODY
        hub.close()
    first, *leaps = [seen for seen in origin.requests if seen.path == FILE]
    assert [seen.headers["range"] for seen in leaps] == [
        f"bytes={SIZE - 1024}-{SIZE - 1}",
        f"bytes={SIZE - 9000}-{SIZE - 8001}",
    ]
    assert {"if-range" in seen.headers for seen in leaps} == {route is NAMED}
    assert len({seen.connection for seen in leaps} | {first.connection}) == 2

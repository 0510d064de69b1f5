"""Large bodies without a disk to wait on."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.full_disk import files_up_to
from tests.service.hub import FILE, LARGE, OTHER, Hub, MakeHub, fake
from tests.service.images import put_blob
from virtreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable
from virtreg.events import FillFailed
from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.model import Algorithm, Fetch
from virtreg.service.claims import Claims
from virtreg.service.exchange import Exchange, Reading
from virtreg.service.health import GuardedUpstream
from virtreg.service.leaping import Joint
from virtreg.service.onward import PassingBody
from virtreg.service.passing import Passing
from virtreg.service.resolution import Resolved
from virtreg.testing.fakes import FakeClock, FakeUpstream
from virtreg.testing.gate import Gate

SHA1 = {"x-checksum-sha1": hashlib.sha1(LARGE).hexdigest()}
WRONG = {"x-checksum-sha1": "0" * 40}


def no_room(_folder: Path) -> int:
    return 0


def read(resolved: Resolved, start: int = 0, stop: int | None = None) -> bytes:
    with resolved.body:
        return b"".join(resolved.body.read(start, stop))


def left(hub: Hub) -> list[Path]:
    return list((hub.folder / "store" / "spool").glob("*/*.part"))


def test_it_is_answered_and_not_kept(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, headers=SHA1)
    hub = make_hub(a, free=no_room)
    for times in (1, 2):
        resolved = hub.resolve(FILE)
        assert resolved.origin == "miss"
        assert resolved.representation.size == len(LARGE)
        assert read(resolved) == LARGE
        assert a.count(FILE) == times
    assert hub.entry(a, FILE) is None
    assert (hub.blobs(), left(hub), hub.works.intake.active) == (set(), [], 0)
    assert {event.reason for event in hub.events.of(FillFailed)} == {"the disk has no room for it"}


def test_it_is_kept_again_once_there_is_room(make_hub: MakeHub) -> None:
    rooms = iter([0, 1 << 40])
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a, free=lambda _: next(rooms))
    hub.get(FILE)
    hub.pull(FILE)
    assert hub.get(FILE).origin == "hit"


def test_what_is_on_its_way_to_the_disk_counts_as_there(make_hub: MakeHub) -> None:
    a = fake("a")
    stall = Gate()
    a.put(FILE, LARGE, stall=stall)
    a.put(OTHER, LARGE)
    hub = make_hub(a, free=lambda _: 17 * 1024 * 1024)
    first = hub.resolve(FILE)
    stall.await_arrival()
    stall.release()
    assert read(first) == LARGE
    assert hub.pull(OTHER).body == LARGE


def test_a_folder_that_cannot_be_used_is_no_room_either(make_hub: MakeHub) -> None:
    def broken(_folder: Path) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a, free=broken)
    assert hub.get(FILE).body == LARGE


def test_the_end_is_held_back_until_all_is_proved(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, headers=WRONG)
    hub = make_hub(a, free=no_room)
    resolved = hub.resolve(FILE)
    got = bytearray()
    with resolved.body, pytest.raises(IntegrityError, match="sha1"):
        got.extend(byte for piece in resolved.body.read(0, len(LARGE)) for byte in piece)
    assert len(got) < len(LARGE)
    assert got == LARGE[: len(got)]


def test_a_digest_in_the_path_is_proved(make_hub: MakeHub) -> None:
    a = fake("a")
    path = put_blob(a, "team/app", LARGE)
    a.put(f"v2/{path}", LARGE[::-1])
    hub = make_hub(a, free=no_room, format=ContainerFormat())
    with pytest.raises(IntegrityError, match="sha256"):
        hub.get(path)


def test_a_shorter_body_than_promised_ends_in_an_error(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, cut_after=600_000, etag=None)
    hub = make_hub(a, free=no_room)
    with pytest.raises(UpstreamUnavailable, match="cut after"):
        hub.get(FILE)


def test_what_breaks_off_goes_on_where_it_is_sure_to_be_the_same(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, etag='"1"', cut_after=600_000)
    hub = make_hub(a, free=no_room)
    resolved = hub.resolve(FILE)
    with resolved.body:
        pieces = resolved.body.read()
        got = next(pieces)
        got += b"".join(pieces)
    assert got == LARGE
    assert [asked.offset for asked in a.requests if asked.path == FILE] == [0, 600_000]


def test_another_file_where_it_broke_off_is_not_put_together(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, etag='"1"', cut_after=600_000)
    hub = make_hub(a, free=no_room)
    resolved = hub.resolve(FILE)
    a.put(FILE, LARGE[::-1], etag='"2"')
    with resolved.body, pytest.raises(IntegrityError, match="changed"):
        b"".join(resolved.body.read())


def test_each_of_many_readers_has_an_answer_of_its_own(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, headers=SHA1)
    hub = make_hub(a, free=no_room)
    for got in hub.together(8, FILE):
        assert not isinstance(got, Exception)
        assert got.body == LARGE


def test_an_answer_that_nobody_reads_is_given_back(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a, free=no_room)
    hub.resolve(FILE).body.close()
    assert [reply.closed for reply in a.replies if reply.status == 200] == [True]


def test_a_reader_that_leaves_in_the_middle_gives_its_answer_back(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a, free=no_room)
    resolved = hub.resolve(FILE)
    pieces = resolved.body.read()
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    resolved.body.close()
    assert all(reply.closed for reply in a.replies)


def test_checksums_are_those_of_the_file(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a, free=no_room)
    assert hub.get(f"{FILE}.sha1").body.decode() == hashlib.sha1(LARGE).hexdigest()


def test_the_size_is_found_out_where_none_is_told(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE, sized=False)
    hub = make_hub(a, free=no_room)
    resolved = hub.resolve(FILE)
    with resolved.body as body:
        told = body.size
        assert told is None
        assert b"".join(body.read(1 << 62)) == b""
        assert body.size == len(LARGE)
        assert b"".join(body.read()) == LARGE


@pytest.mark.parametrize("etag", ['"1"', None], ids=["ranges", "no ranges"])
@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 10), (700_000, 700_010), (len(LARGE) - 5, None), (5, None), (0, len(LARGE)), (9, 9)],
)
def test_ranges_pass_through(
    make_hub: MakeHub, etag: str | None, start: int, stop: int | None
) -> None:
    a = fake("a")
    a.put(FILE, LARGE, etag=etag)
    hub = make_hub(a, free=no_room)
    assert read(hub.resolve(FILE), start, stop) == LARGE[start:stop]


@given(
    body=st.binary(min_size=1, max_size=2000),
    start=st.integers(0, 2100),
    length=st.none() | st.integers(0, 2100),
    ranged=st.booleans(),
    cut=st.none() | st.integers(0, 1999),
)
def test_any_part_of_any_body_is_that_part(
    body: bytes, start: int, length: int | None, ranged: bool, cut: int | None
) -> None:
    upstream = FakeUpstream()
    upstream.put(FILE, body, etag='"1"', cut_after=cut if ranged else None)
    clock = FakeClock()
    guarded = GuardedUpstream(upstream, clock)
    maven = MavenFormat()
    route = maven.route(FILE)
    stop = None if length is None else start + length
    proved: list[int] = []
    passing = Passing(
        Exchange(guarded, route, maven, maven.expect(route)),
        len(body),
        Joint('"1"') if ranged else None,
        Claims({Algorithm.SHA256: hashlib.sha256(body).hexdigest()}, None),
        closed(),
        lambda size, _digests: proved.append(size),
    )
    passing.begin(Reading(upstream.fetch(Fetch(FILE))))
    try:
        with PassingBody(passing) as one:
            got = b"".join(one.read(start, stop))
    except UpstreamError:
        assert cut is not None
    else:
        assert got == body[start:stop]
        assert set(proved) <= {len(body)}
    assert all(reply.closed for reply in upstream.replies)
    guarded.close()


def closed() -> threading.Event:
    """Of a server that is stopping: nothing is tried again."""
    event = threading.Event()
    event.set()
    return event


class TestADiskThatFillsUp:
    SIZE = 600_000

    @pytest.mark.parametrize("etag", ['"1"', None], ids=["ranges", "no ranges"])
    def test_readers_go_on_without_it(self, make_hub: MakeHub, etag: str | None) -> None:
        a = fake("a")
        a.put(FILE, LARGE, etag=etag, headers=SHA1)
        hub = make_hub(a)
        with files_up_to(self.SIZE):
            for got in hub.together(5, FILE):
                assert not isinstance(got, Exception)
                assert got.body == LARGE
            hub.events.wait(FillFailed, FILE)
        assert hub.entry(a, FILE) is None
        assert hub.works.intake.active == 0
        assert left(hub) == []
        assert hub.pull(FILE).body == LARGE
        assert hub.get(FILE).origin == "hit"

    def test_so_does_one_that_reads_a_range(self, make_hub: MakeHub) -> None:
        a = fake("a")
        a.put(FILE, LARGE, etag='"1"', headers=SHA1)
        hub = make_hub(a)
        with files_up_to(self.SIZE):
            resolved = hub.resolve(FILE)
            hub.events.wait(FillFailed, FILE)
            assert read(resolved, 1000, 1_000_000) == LARGE[1000:1_000_000]

    def test_two_files_are_not_put_together(self, make_hub: MakeHub) -> None:
        a = fake("a")
        stall = Gate()
        a.put(OTHER, LARGE, etag='"1"', cut_after=500_000, stall=stall)
        hub = make_hub(a)
        resolved = hub.resolve(OTHER)
        pieces = resolved.body.read()
        first = next(pieces)
        stall.await_arrival()
        # With the validator of the other one: a lie that only the bytes tell.
        a.put(OTHER, LARGE[::-1], etag='"1"')
        with files_up_to(self.SIZE):
            stall.release()
            with pytest.raises(IntegrityError, match="another one"), resolved.body:
                b"".join(pieces)
        assert LARGE.startswith(first)

    def test_the_upstream_is_not_blamed(self, make_hub: MakeHub) -> None:
        a = fake("a")
        a.put(FILE, LARGE)
        hub = make_hub(a)
        with files_up_to(self.SIZE):
            hub.get(FILE)
            hub.events.wait(FillFailed, FILE)
        assert not hub.works.suspects.until(a.spec.key, FILE, hub.clock())
        assert hub.guarded[0].health().failure is None

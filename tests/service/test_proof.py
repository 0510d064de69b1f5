"""Bodies that are not what they must be: nobody gets one whole, nothing keeps one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve, frozen

from tests.service.hub import FILE, HOUR, LARGE, SMALL, VISIBLE, Hub, MakeHub, fake
from virtreg.backends.store import MemoryStore
from virtreg.errors import (
    IntegrityError,
    UpstreamBusy,
    UpstreamError,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from virtreg.events import Filled, FillFailed
from virtreg.formats.maven.adapter import MavenFormat
from virtreg.model import (
    Algorithm,
    Examination,
    Expectation,
    Fetch,
    Freshness,
    Route,
    UpstreamSpec,
)
from virtreg.service.spool import Spool, SpoolBody
from virtreg.testing.fakes import FakeReply, FakeUpstream
from virtreg.testing.gate import Gate

POM = "org/example/a/1.0/a-1.0.pom"
WRONG = hashlib.sha1(b"something else").hexdigest()


class Misjudging(FakeUpstream):
    """Promises ``by`` bytes more than it sends, or fewer."""

    by = 0

    def fetch(self, request: Fetch) -> FakeReply:
        reply = super().fetch(request)
        if reply.length:
            reply.length += self.by
        return reply


def misjudging(by: int) -> Misjudging:
    upstream = Misjudging(spec=UpstreamSpec("a", "http://a.invalid"))
    upstream.by = by
    return upstream


class Crowded(FakeUpstream):
    """Puts whoever asks for a checksum file off, ``times`` times."""

    times = 0
    trouble: UpstreamError

    def fetch(self, request: Fetch) -> FakeReply:
        if request.path.endswith(".sha1") and self.times > 0:
            self.times -= 1
            raise self.trouble
        return super().fetch(request)


def crowded(trouble: UpstreamError, times: int) -> Crowded:
    upstream = Crowded(spec=UpstreamSpec("a", "http://a.invalid"))
    upstream.trouble, upstream.times = trouble, times
    return upstream


PUT_OFF = pytest.mark.parametrize(
    "trouble",
    [
        UpstreamBusy("all 16 connections busy", upstream="a", retry_after=30),
        UpstreamThrottled("429 Too Many Requests", upstream="a", retry_after=0),
        UpstreamUnavailable("left alone for 5 s more", upstream="a", retry_after=5),
    ],
    ids=lambda trouble: type(trouble).__name__,
)


class Careless(MemoryStore):
    """Somebody's store with a bug: raises what no store may."""

    def put(self, key: str, content: Path | bytes) -> None:
        raise ZeroDivisionError


@frozen
class Limited(MavenFormat):
    """Takes so many bytes and no more."""

    limit: int = 0

    def expect(self, route: Route) -> Expectation:
        return evolve(super().expect(route), max_bytes=self.limit)


class Telling(MavenFormat):
    """Knows what a body is from the body itself."""

    def examine(self, route: Route, headers: Mapping[str, str], head: bytes) -> Examination:
        return evolve(super().examine(route, headers, head), content_type="text/told")


def fixed(body: bytes, algorithm: Algorithm = Algorithm.SHA512) -> Route:
    """FILE as a path that fixes the digest of its body."""
    digest = hashlib.new(algorithm.value, body).hexdigest()
    return Route(FILE, Freshness.IMMUTABLE, digest=(algorithm, digest))


def read_until_refused(hub: Hub, path: str | Route) -> tuple[bytes, IntegrityError]:
    """What a client gets of a large body before it is told that it is wrong."""

    def pieces() -> Iterator[bytes]:
        with hub.resolve(path).body as body:
            yield from body.read()

    got: list[bytes] = []
    with pytest.raises(IntegrityError) as caught:
        got.extend(pieces())
    hub.events.wait(FillFailed, hub.route(path).path)
    return b"".join(got), caught.value


@pytest.mark.parametrize("claim", ["header", "sidecar"])
@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_body_unlike_its_claimed_digest_is_never_had_whole_and_never_kept(
    make_hub: MakeHub, claim: str, body: bytes
) -> None:
    a = fake("a")
    headers: Mapping[str, str] = {"x-checksum-sha1": WRONG} if claim == "header" else {}
    a.put(FILE, body, headers=headers)
    if claim == "sidecar":
        a.put(f"{FILE}.sha1", WRONG.encode())
    hub = make_hub(a)
    if body == LARGE:
        got, error = read_until_refused(hub, FILE)
        assert got == LARGE[: len(got)]
        assert len(got) <= VISIBLE
    else:
        with pytest.raises(IntegrityError) as caught:
            hub.get(FILE)
        error = caught.value
    assert WRONG in error.message
    assert hashlib.sha1(body).hexdigest() in error.message
    assert hub.entry(a, FILE) is None
    assert hub.blobs() == set()

    a.put(FILE, body)
    a.put(f"{FILE}.sha1", hashlib.sha1(body).hexdigest().encode())
    assert hub.pull(FILE).body == body
    assert hub.get(FILE).origin == "hit"


def test_the_end_of_a_large_body_waits_for_the_proof(make_hub: MakeHub) -> None:
    gate = Gate()
    a = fake("a")
    a.put(FILE, LARGE)
    a.put(f"{FILE}.sha1", hashlib.sha1(LARGE).hexdigest().encode(), hold=gate)
    hub = make_hub(a)
    with hub.resolve(FILE).body as body:
        reading = body.read()
        got = bytearray()
        while len(got) < VISIBLE:
            got += next(reading)
        assert bytes(got) == LARGE[:VISIBLE]
        assert hub.blobs() == set()
        gate.release()
        assert bytes(got) + b"".join(reading) == LARGE


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_body_with_the_digest_that_its_path_fixes_is_taken_and_no_other(
    make_hub: MakeHub, body: bytes, algorithm: Algorithm
) -> None:
    a = fake("a")
    right = {"x-checksum-sha1": hashlib.sha1(body).hexdigest()}
    a.put(FILE, body, headers=right)
    hub = make_hub(a)
    other = fixed(body + b"!", algorithm)
    if body == LARGE:
        got, error = read_until_refused(hub, other)
        assert len(got) <= VISIBLE
    else:
        with pytest.raises(IntegrityError) as caught:
            hub.get(other)
        error = caught.value
    assert f"whose {algorithm.value} is" in error.message
    assert hub.blobs() == set()
    hub.clock.advance(HOUR)
    assert hub.pull(fixed(body, algorithm)).body == body
    assert hub.get(fixed(body, algorithm)).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_format_may_tell_what_a_body_is(make_hub: MakeHub, body: bytes) -> None:
    a = fake("a")
    a.put(FILE, body, headers={"content-type": "text/plain"})
    hub = make_hub(a, format=Telling())
    assert hub.pull(FILE).representation.content_type == "text/told"
    assert hub.get(FILE).representation.content_type == "text/told"


def test_a_claim_in_the_answer_itself_spares_the_checksum_file(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL, headers={"x-checksum-md5": hashlib.md5(SMALL).hexdigest()})
    make_hub(a).pull(FILE)
    assert [asked.path for asked in a.requests] == [FILE]


def test_the_second_best_checksum_file_is_believed_when_the_best_is_absent(
    make_hub: MakeHub,
) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.put(f"{FILE}.md5", b"0" * 32)
    with pytest.raises(IntegrityError, match="md5"):
        make_hub(a).get(FILE)


def test_a_size_that_nobody_promised_is_told_once_the_body_is_proved(tmp_path: Path) -> None:
    with (
        closing(Spool(tmp_path / "one.part", None)) as spool,
        closing(SpoolBody(spool)) as body,
    ):
        spool.append(LARGE)
        spool.complete()
        assert body.size is None
        spool.prove()
        assert body.size == len(LARGE)


@PUT_OFF
def test_a_large_body_waits_for_its_turn_to_be_compared(
    make_hub: MakeHub, trouble: UpstreamError
) -> None:
    a = crowded(trouble, 3)
    a.put(FILE, LARGE)
    a.put(f"{FILE}.sha1", WRONG.encode())
    hub = make_hub(a)
    _, error = read_until_refused(hub, FILE)
    assert WRONG in error.message
    assert hub.blobs() == set()


@PUT_OFF
def test_a_small_body_that_could_not_be_compared_is_not_believed(
    make_hub: MakeHub, trouble: UpstreamError
) -> None:
    a = crowded(trouble, 1)
    a.put(FILE, SMALL)
    a.put(f"{FILE}.sha1", WRONG.encode())
    hub = make_hub(a)
    with pytest.raises(type(trouble)):
        hub.get(FILE)
    assert hub.blobs() == set()
    a.put(f"{FILE}.sha1", hashlib.sha1(SMALL).hexdigest().encode())
    assert hub.pull(FILE).body == SMALL


def test_a_checksum_file_that_is_none_claims_nothing(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, SMALL)
    a.put(f"{FILE}.sha1", b"<html>Please sign in</html>")
    assert make_hub(a).get(FILE).body == SMALL


def test_a_login_page_is_not_a_pom(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(POM, b"<!doctype html><title>Sign in</title>", headers={"content-type": "text/html"})
    hub = make_hub(a)
    with pytest.raises(IntegrityError, match="got an HTML page") as caught:
        hub.get(POM)
    assert [answer.outcome for answer in caught.value.answers] == ["corrupt"]
    assert hub.blobs() == set()
    a.put(POM, b"<project/>")
    assert hub.get(POM).body == b"<project/>"


def test_a_lying_upstream_is_passed_only_where_broken_ones_are(make_hub: MakeHub) -> None:
    a, b = fake("a", on_error="continue"), fake("b")
    a.put(POM, b"<html></html>")
    b.put(POM, b"<project/>")
    assert make_hub(a, b).get(POM).body == b"<project/>"


@pytest.mark.parametrize("by", [-1, 1], ids=["longer than promised", "shorter than promised"])
@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_body_of_another_length_than_promised_is_refused(
    make_hub: MakeHub, body: bytes, by: int
) -> None:
    a = misjudging(by)
    a.put(FILE, body)
    hub = make_hub(a)
    if body == LARGE:
        got, error = read_until_refused(hub, FILE)
        assert len(got) <= VISIBLE
    else:
        with pytest.raises(IntegrityError) as caught:
            hub.get(FILE)
        error = caught.value
    assert f"promised {len(body) + by} bytes and sent {len(body)}" in error.message
    assert hub.blobs() == set()


@pytest.mark.parametrize("sized", [True, False], ids=["told before", "found out"])
@pytest.mark.parametrize("size", [5000, 300_000, 1_000_000])
def test_a_body_beyond_the_formats_limit_is_refused(
    make_hub: MakeHub, size: int, sized: bool
) -> None:
    a = fake("a")
    a.put(FILE, bytes(size), sized=sized)
    hub = make_hub(a, format=Limited(limit=size - 1))
    with pytest.raises(IntegrityError, match=f"{size - 1}"):
        hub.get(FILE)
    assert hub.blobs() == set()


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("size", [0, 5000, 300_000, 1_000_000])
def test_a_body_of_just_the_limit_is_taken(make_hub: MakeHub, size: int, sized: bool) -> None:
    a = fake("a")
    a.put(FILE, bytes(size), sized=sized)
    hub = make_hub(a, format=Limited(limit=size))
    assert hub.pull(FILE).body == bytes(size)
    assert hub.get(FILE).representation.size == size


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_store_that_takes_nothing_does_not_keep_the_body_from_the_client(
    make_hub: MakeHub, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a)
    (hub.folder / "store").mkdir(exist_ok=True)
    (hub.folder / "store" / "blobs").write_bytes(b"in the way")
    assert hub.pull(FILE).body == body
    (failure,) = hub.events.of(FillFailed, FILE)
    assert "cannot put blobs/" in failure.reason
    assert hub.entry(a, FILE) is None
    (hub.folder / "store" / "blobs").unlink()
    assert hub.pull(FILE).origin == "miss"
    assert len(hub.events.of(Filled, FILE)) == 1


def test_without_a_folder_for_spools_a_body_passes_through(make_hub: MakeHub) -> None:
    a = fake("a")
    a.put(FILE, LARGE)
    hub = make_hub(a)
    (hub.folder / "store").write_bytes(b"in the way")
    assert hub.get(FILE).body == LARGE
    (hub.folder / "store").unlink()
    assert hub.pull(FILE).body == LARGE
    assert hub.get(FILE).origin == "hit"


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_store_that_breaks_its_contract_leaves_no_key_blocked(
    make_hub: MakeHub, body: bytes
) -> None:
    a = fake("a")
    a.put(FILE, body)
    hub = make_hub(a, store=Careless())
    assert hub.pull(FILE).body == body
    assert hub.pull(FILE).body == body
    assert [event.reason for event in hub.events.of(FillFailed, FILE)] == [
        "publishing failed: ZeroDivisionError"
    ] * 2

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable

import pytest

from tests.wsgi.answers import Answer
from tests.wsgi.sites import JAR, LARGE_BODY, MIDDLE, MIDDLE_BODY, POM, SMALL_BODY, Site
from virtreg.testing.origin import Gate

FILES = [(POM, SMALL_BODY), (MIDDLE, MIDDLE_BODY), (JAR, LARGE_BODY)]
RANGES = ["bytes=0-9", "bytes=5-", "bytes=-7", "bytes=3-3", "bytes=2-999999999"]


def expected(header: str, size: int) -> tuple[int, int]:
    first, _, last = header.removeprefix("bytes=").partition("-")
    if not first:
        return size - int(last), size
    return int(first), min(int(last) + 1, size) if last else size


def is_part(answer: Answer, body: bytes, start: int, stop: int) -> None:
    assert answer.status == 206
    assert answer.body == body[start:stop]
    assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{len(body)}"
    assert answer["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(("path", "body"), FILES)
def test_one_range_cold_warm_and_ready(site: Site, path: str, body: bytes) -> None:
    for number, header in enumerate(RANGES):
        cold = path.replace("thing", f"cold{number}")
        site.near.put(cold, body)
        is_part(site.get(cold, {"Range": header}), body, *expected(header, len(body)))
    site.fill(path)
    for header in RANGES:
        is_part(site.get(path, {"Range": header}), body, *expected(header, len(body)))
    full = site.get(path)
    for header in RANGES:
        part = site.get(path, {"Range": header})
        is_part(part, body, *expected(header, len(body)))
        assert part["ETag"] == full["ETag"]
    assert site.near.count(path) == 1


def parts_of(answer: Answer) -> list[tuple[str, bytes]]:
    """``(Content-Range, bytes)`` of a multipart/byteranges answer, read by another parser."""
    text = f"Content-Type: {answer['Content-Type']}\r\n\r\n".encode() + answer.body
    message = email.message_from_bytes(text, policy=email.policy.HTTP)
    assert message.get_content_type() == "multipart/byteranges"
    found = []
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert part.get_content_type() == "application/xml"
        found.append((part["Content-Range"], payload))
    return found


@pytest.mark.parametrize("prepare", [None, Site.fill, Site.make_ready])
def test_several_ranges_come_in_parts(
    site: Site, prepare: Callable[[Site, str], Answer] | None
) -> None:
    if prepare is not None:
        prepare(site, POM)
    answer = site.get(POM, {"Range": "bytes=0-1, 4-5, -2"})
    size = len(SMALL_BODY)
    assert answer.status == 206
    assert answer["Content-Length"] == str(len(answer.body))
    assert "Content-Range" not in answer
    assert parts_of(answer) == [
        (f"bytes 0-1/{size}", SMALL_BODY[:2]),
        (f"bytes 4-5/{size}", SMALL_BODY[4:6]),
        (f"bytes {size - 2}-{size - 1}/{size}", SMALL_BODY[-2:]),
    ]


def test_a_range_outside_the_file_is_refused_with_its_size(site: Site) -> None:
    for header in ("bytes=1000000000-", "bytes=-0", "bytes=24-", "bytes=9-5"):
        answer = site.get(POM, {"Range": header})
        assert answer.status == 416, header
        assert answer["Content-Range"] == f"bytes */{len(SMALL_BODY)}"
        assert answer.problem["detail"] == f"Range: the file has {len(SMALL_BODY)} bytes"


def test_a_malformed_range_gets_the_whole_file(site: Site) -> None:
    for header in ("bytes=", "bytes=a-b", "lines=1-2", "bytes=0-1,x", "0-9"):
        answer = site.get(POM, {"Range": header})
        assert (answer.status, answer.body) == (200, SMALL_BODY), header


def test_head_ignores_ranges(site: Site) -> None:
    for _ in range(3):
        answer = site.head(POM, {"Range": "bytes=0-1"})
        assert (answer.status, answer["Content-Length"]) == (200, str(len(SMALL_BODY)))


def test_a_range_of_what_is_absent_is_absent(site: Site) -> None:
    for _ in range(3):
        assert site.get("absent.pom", {"Range": "bytes=0-1"}).status == 404


def test_a_range_with_the_right_validator_is_a_part(site: Site) -> None:
    full = site.make_ready(POM)
    for condition in (full["ETag"], full["Last-Modified"]):
        part = site.get(POM, {"Range": "bytes=4-", "If-Range": condition})
        is_part(part, SMALL_BODY, 4, len(SMALL_BODY))


def test_a_range_with_another_validator_is_the_whole_file(site: Site) -> None:
    full = site.make_ready(POM)
    for condition in ('"x"', f"W/{full['ETag']}", "Mon, 01 Jan 2001 00:00:00 GMT", "x"):
        answer = site.get(POM, {"Range": "bytes=4-", "If-Range": condition})
        assert (answer.status, answer.body) == (200, SMALL_BODY), condition


def test_the_start_of_a_download_does_not_wait_for_its_end(site: Site) -> None:
    gate = Gate()
    site.near.put(JAR, LARGE_BODY, stall_after=400_000, stall=gate)
    is_part(site.get(JAR, {"Range": "bytes=100-299"}), LARGE_BODY, 100, 300)
    assert site.assembly.stats()["active"] == 1
    gate.release()
    site.witness.await_filled(JAR)
    is_part(
        site.get(JAR, {"Range": "bytes=-300"}), LARGE_BODY, len(LARGE_BODY) - 300, len(LARGE_BODY)
    )
    assert site.near.count(JAR) == 1


def test_a_download_of_unknown_length_is_answered_once_its_length_is_known(site: Site) -> None:
    for number, header in enumerate(RANGES):
        path = JAR.replace("thing", f"unsized{number}")
        site.near.put(path, LARGE_BODY, chunked=True)
        cold = site.get(path, {"Range": header})
        is_part(cold, LARGE_BODY, *expected(header, len(LARGE_BODY)))
    site.near.put(JAR, LARGE_BODY, until_close=True)
    assert site.head(JAR)["Content-Length"] == str(len(LARGE_BODY))
    site.witness.await_filled(JAR)
    assert site.get(JAR).body == LARGE_BODY
    assert site.near.count(JAR) == 1

"""Parts of blobs (OCI distribution-spec, Pulling blobs; RFC 9110, 14)."""

from __future__ import annotations

import hashlib
from email import message_from_bytes

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client, error_code
from tests.conformance.shelf import fresh_name, publish_blob

pytestmark = pytest.mark.e2e

SECTION = "Pulling blobs: Range"
SIZE = 2048


@pytest.fixture
def body() -> bytes:
    seed = fresh_name().encode()
    return b"".join(hashlib.sha256(seed + bytes([at])).digest() for at in range(SIZE // 32))


@pytest.fixture
def path(client: Client, body: bytes) -> str:
    name, digest = fresh_name(), f"sha256:{hashlib.sha256(body).hexdigest()}"
    publish_blob(client.origin, name, digest, body)
    path = f"{name}/blobs/{digest}"
    client.prepare(path)
    return path


@clause(SECTION, "SHOULD", "one range is 206 with `Content-Range` and its `Content-Length`")
@clause(SECTION, "suite", "`500-1499`, `500-`, `-500`, and `2000-5000` cut to the end")
@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("500-1499", 500, 1500),
        ("500-", 500, SIZE),
        ("-500", SIZE - 500, SIZE),
        ("2000-5000", 2000, SIZE),
        ("0-0", 0, 1),
        ("0-", 0, SIZE),
        ("-5000", 0, SIZE),
    ],
)
def test_one_range(
    client: Client, path: str, body: bytes, asked: str, start: int, stop: int
) -> None:
    answer = client.get(path, {"Range": f"bytes={asked}"})
    assert (answer.status, answer.body) == (206, body[start:stop])
    assert answer["Content-Length"] == str(stop - start)
    assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@clause(SECTION, "SHOULD", "a range of nothing is 416 with `Content-Range: bytes */<size>`")
@clause(SECTION, "suite", "`500-0` and `5000-10000` are 416")
@pytest.mark.parametrize("asked", ["500-0", "5000-10000", "2048-", "-0"])
def test_a_range_of_nothing(client: Client, path: str, asked: str) -> None:
    answer = client.get(path, {"Range": f"bytes={asked}"})
    assert (answer.status, error_code(answer)) == (416, "UNSUPPORTED")
    assert answer["Content-Range"] == f"bytes */{SIZE}"


@clause(SECTION, "SHOULD", "several ranges are 206 as `multipart/byteranges` (RFC 9110, 14.6)")
def test_several_ranges(client: Client, path: str, body: bytes) -> None:
    answer = client.get(path, {"Range": "bytes=0-99,-100"})
    assert answer.status == 206
    frame = b"Content-Type: " + answer["Content-Type"].encode() + b"\r\n\r\n"
    message = message_from_bytes(frame + answer.body)
    assert message.get_content_type() == "multipart/byteranges"
    told = [(str(part["Content-Range"]), part.get_payload(decode=True)) for part in message.walk()][
        1:
    ]
    last = f"bytes {SIZE - 100}-{SIZE - 1}/{SIZE}"
    assert told == [(f"bytes 0-99/{SIZE}", body[:100]), (last, body[-100:])]


@clause(SECTION, "SHOULD", "what is no range is ignored: 200 (RFC 9110, 14.2)")
@pytest.mark.parametrize("value", ["lines=0-99", "bytes", "bytes=a-b", "bytes=1--2", "bytes=,"])
def test_what_is_no_range(client: Client, path: str, body: bytes, value: str) -> None:
    answer = client.get(path, {"Range": value})
    assert (answer.status, answer.body) == (200, body)


@clause(SECTION, "SHOULD", "`Range` means nothing to HEAD, which says `Accept-Ranges: bytes`")
def test_head_has_no_ranges(client: Client, path: str) -> None:
    answer = client.head(path, {"Range": "bytes=0-99"})
    assert (answer.status, answer["Content-Length"]) == (200, str(SIZE))
    assert answer["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in answer


@clause(
    SECTION, "SHOULD", "`If-Range` with another validator asks for the whole (RFC 9110, 13.1.5)"
)
def test_a_range_of_what_was_meant(client: Client, path: str, body: bytes) -> None:
    etag = client.head(path)["ETag"]
    for condition, status, found in ((etag, 206, body[:9]), ('"another"', 200, body)):
        answer = client.get(path, {"Range": "bytes=0-8", "If-Range": condition})
        assert (answer.status, answer.body) == (status, found)

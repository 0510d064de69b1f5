"""Which answers are a link to where the blob is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from wsgiref.util import setup_testing_defaults

import pytest

from tests.backends.store.bucket import moto_bucket
from virtreg.backends.store import MemoryStore
from virtreg.backends.store.objects import ObjectStore
from virtreg.core.layout import blob_key
from virtreg.formats import named
from virtreg.model import Algorithm, Representation
from virtreg.service.bodies import BytesBody
from virtreg.service.resolution import Resolved
from virtreg.wsgi.redirecting import LARGE, Redirecting
from virtreg.wsgi.serving import Response, conditions, respond

Mode = Literal["never", "whole", "always"]
MAVEN = named("maven", ())
PATH = "org/example/a/1/a-1.jar"
BODY = b"x" * LARGE * 2
SMALL = b"x" * (LARGE - 1)
NOTHING: Mapping[str, str] = {}
PART = {"HTTP_RANGE": "bytes=0-1048575"}


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with moto_bucket() as access:
        store = ObjectStore("s3://bucket/far", **access)
        for body in (BODY, SMALL):
            store.put(blob_key(hashlib.sha256(body).hexdigest()), body)
        yield store


def answer(
    store: Any,
    mode: Mode,
    body: bytes = BODY,
    origin: str = "hit",
    asked: Mapping[str, str] = NOTHING,
) -> Response:
    environ: dict[str, Any] = dict(asked)
    setup_testing_defaults(environ)
    digests = {Algorithm.SHA256: hashlib.sha256(body).hexdigest()}
    facts = Representation(len(body), digests, "application/java-archive", None)
    resolution = Resolved(MAVEN.route(PATH), "source", facts, BytesBody(body), origin, 0)
    response = respond(MAVEN, resolution, conditions(environ), (("X-More", "kept"),))
    return Redirecting(store, mode).instead(response, resolution, environ)


def test_a_large_blob_is_a_link_that_nobody_keeps(store: ObjectStore) -> None:
    response = answer(store, "whole")
    headers = dict(response.headers)
    assert (response.status, response.answer, response.length) == (307, None, 0)
    assert headers["Location"].startswith("http://127.0.0.1:")
    assert "X-Amz-Signature=" in headers["Location"]
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Length"] == "0"
    assert headers["X-More"] == "kept"
    assert headers["X-Virtreg-Cache"] == "hit"
    assert not {"Content-Type", "ETag", "Accept-Ranges"} & set(headers)


@pytest.mark.parametrize(
    "environ",
    [
        {"REQUEST_METHOD": "HEAD"},
        {"HTTP_IF_NONE_MATCH": '"another"'},
        {"HTTP_IF_MODIFIED_SINCE": "Tue, 14 Nov 2023 22:13:20 GMT"},
        {"HTTP_IF_RANGE": '"another"', **PART},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("mode", ["whole", "always"])
def test_what_the_bucket_would_take_otherwise_is_answered_here(
    store: ObjectStore, mode: Mode, environ: dict[str, str]
) -> None:
    assert answer(store, mode, asked=environ).status == 200


@pytest.mark.parametrize(("mode", "status"), [("never", 206), ("whole", 206), ("always", 307)])
def test_a_large_part_is_a_link_where_all_are(store: ObjectStore, mode: Mode, status: int) -> None:
    assert answer(store, mode, asked=PART).status == status


def test_a_range_that_is_none_is_no_link_where_ranges_are_answered_here(
    store: ObjectStore,
) -> None:
    assert answer(store, "whole", asked={"HTTP_RANGE": "lines=1-2"}).status == 200


def test_several_parts_are_answered_here(store: ObjectStore) -> None:
    assert (
        answer(store, "always", asked={"HTTP_RANGE": "bytes=0-600000,600100-2000000"}).status == 206
    )


@pytest.mark.parametrize("origin", ["miss", "joined", "merged"])
def test_what_is_not_kept_yet_is_answered_here(store: ObjectStore, origin: str) -> None:
    assert answer(store, "always", origin=origin).status == 200


def test_a_small_blob_is_answered_here(store: ObjectStore) -> None:
    assert answer(store, "always", SMALL).status == 200


def test_a_blob_that_is_not_there_is_answered_here(store: ObjectStore) -> None:
    assert answer(store, "always", BODY + b"never put").status == 200


def test_a_store_without_links_is_read_here() -> None:
    assert answer(MemoryStore(), "always").status == 200


def test_a_bucket_that_cannot_be_asked_sends_nobody_away() -> None:
    store = ObjectStore(
        "s3://bucket", key="k", secret="s", client_kwargs={"endpoint_url": "http://127.0.0.1:1"}
    )
    assert answer(store, "always").status == 200


def test_a_condition_that_does_not_hold_comes_before_the_link(store: ObjectStore) -> None:
    etag = dict(answer(store, "never").headers)["ETag"]
    assert answer(store, "always", asked={"HTTP_IF_NONE_MATCH": etag}).status == 304

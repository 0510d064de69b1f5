"""Blobs, by GET, and whether content is there, by HEAD (OCI distribution-spec, Pulling blobs,
Checking if content exists in the registry)."""

from __future__ import annotations

import hashlib

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client
from tests.conformance.shelf import fresh_name, publish, publish_blob
from tests.e2e.images import Image, single
from virtreg.testing.origin import Origin

pytestmark = pytest.mark.e2e

PULLING = "Pulling blobs"
CHECKING = "Checking if content exists"


def blob(origin: Origin, body: bytes, algorithm: str = "sha256") -> str:
    """The path of a blob that is at the upstream, in a repository of its own."""
    name, digest = fresh_name(), f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    publish_blob(origin, name, digest, body)
    return f"{name}/blobs/{digest}"


def lone_body() -> bytes:
    """Bytes that nobody has asked for."""
    return hashlib.sha256(fresh_name().encode()).digest() * 64


@pytest.fixture
def image(client: Client) -> Image:
    image = single(fresh_name(), layers=2)
    publish(client.origin, image)
    client.prepare_image(image)
    return image


@clause(PULLING, "MUST", "a blob is 200 with exactly its bytes (end-2)")
@clause(PULLING, "MAY", "content is pulled in any order: a blob before its manifest, too")
@clause(PULLING, "SHOULD", "`Docker-Content-Digest` is the blob's digest")
@clause(PULLING, "MUST (main)", "`Docker-Content-Digest` is told, and is that of the bytes")
def test_a_blob(client: Client, image: Image) -> None:
    for part in image.blobs:
        answer = client.get(f"{image.name}/blobs/{part.digest}")
        assert (answer.status, answer.body) == (200, part.source)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        assert answer["Docker-Content-Digest"] == part.digest == digest
        assert answer["Content-Length"] == str(part.size)


@clause(PULLING, "suite", "a blob may be empty, or an empty JSON object")
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_well_known_blobs(client: Client, body: bytes) -> None:
    path = blob(client.origin, body)
    client.prepare(path)
    without, answer = client.head(path), client.get(path)
    assert (answer.status, answer.body) == (200, body)
    assert answer["Content-Length"] == without["Content-Length"] == str(len(body))
    assert answer["Docker-Content-Digest"] == path.rpartition("/")[2]


@clause(PULLING, "suite", "a blob's digest may be SHA-512")
def test_a_blob_by_another_algorithm(client: Client) -> None:
    body = lone_body()
    path = blob(client.origin, body, "sha512")
    client.prepare(path)
    without, answer = client.head(path), client.get(path)
    assert (answer.status, answer.body) == (200, body)
    for told in (without, answer):
        assert told["Docker-Content-Digest"] == path.rpartition("/")[2]


@clause(PULLING, "MUST", "a blob that is not in the repository is 404, whatever others have")
def test_a_blob_that_is_not_there(client: Client, image: Image) -> None:
    absent = f"sha256:{hashlib.sha256(image.name.encode()).hexdigest()}"
    assert client.refused(f"{image.name}/blobs/{absent}") == (404, "BLOB_UNKNOWN")
    for part in image.blobs:
        elsewhere = f"{fresh_name()}/blobs/{part.digest}"
        assert client.refused(elsewhere) == (404, "BLOB_UNKNOWN")


@clause(CHECKING, "MUST", "HEAD of a manifest, by tag or by digest, is 200 (end-3)")
@clause(CHECKING, "SHOULD", "HEAD of a manifest tells its digest and its size")
@clause(CHECKING, "MUST (main)", "HEAD tells `Docker-Content-Digest` and `Content-Length`")
def test_a_manifest_is_there(client: Client, image: Image) -> None:
    for reference in (image.tag, image.digest):
        path = f"{image.name}/manifests/{reference}"
        without = client.head(path)
        assert (without.status, without.body) == (200, b"")
        assert without["Docker-Content-Digest"] == image.digest
        assert without["Content-Length"] == str(len(image.top.body))
        assert without["Content-Type"] == image.top.media_type
        again, full = client.head(path), client.get(path)
        assert {**again.ours, "x-virtreg-cache": full.origin} == full.ours


@clause(CHECKING, "MUST", "HEAD of a blob is 200 (end-2)")
@clause(CHECKING, "SHOULD", "HEAD of a blob tells its digest and its size")
def test_a_blob_is_there(client: Client, image: Image) -> None:
    for part in image.blobs:
        path = f"{image.name}/blobs/{part.digest}"
        without = client.head(path)
        assert (without.status, without.body) == (200, b"")
        assert without["Docker-Content-Digest"] == part.digest
        assert without["Content-Length"] == str(part.size)
        assert without.ours == client.get(path).ours


@clause(CHECKING, "MUST", "HEAD of what is not there is 404")
def test_nothing_is_there(client: Client, image: Image) -> None:
    absent = f"sha256:{hashlib.sha256(image.name.encode()).hexdigest()}"
    for name in (image.name, fresh_name()):
        for rest in ("manifests/missing", f"manifests/{absent}", f"blobs/{absent}"):
            for _ in range(2):
                answer = client.head(f"{name}/{rest}")
                assert (answer.status, answer.body) == (404, b"")


@clause(
    CHECKING, "MUST (main)", "HEAD tells the digest where an upstream tells none, by any method"
)
@pytest.mark.parametrize("head", [200, 404, 405])
def test_the_digest_is_told_for_an_upstream_that_tells_none(client: Client, head: int) -> None:
    image = single(fresh_name())
    kind = {"Content-Type": image.top.media_type}
    for reference in (image.tag, image.digest):
        behaviour = {} if head == 200 else {"head": head}
        path = f"v2/{image.name}/manifests/{reference}"
        client.origin.put(path, image.top.body, headers=kind, **behaviour)
    client.prepare(f"{image.name}/manifests/{image.tag}")
    for reference in (image.tag, image.digest):
        without = client.head(f"{image.name}/manifests/{reference}")
        assert (without.status, without["Docker-Content-Digest"]) == (200, image.digest)
        assert without["Content-Length"] == str(len(image.top.body))

"""Upstreams' answers judged, and what is said about bodies."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtreg.formats.container.adapter import ContainerFormat
from virtreg.formats.container.media_types import OCI_INDEX, OCI_MANIFEST
from virtreg.model import Algorithm, Representation, Route

container = ContainerFormat()
HEX = "0123456789abcdef" * 4
TAG = container.route("a/manifests/latest")
PINNED = container.route(f"a/manifests/sha256:{HEX}")
BLOB = container.route(f"a/blobs/sha256:{HEX}")
LIST = container.route("a/tags/list")
REFERRERS = container.route(f"a/referrers/sha256:{HEX}")


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (f"sha256:{HEX}", {Algorithm.SHA256: HEX}),
        (f" sha512:{HEX * 2} ", {Algorithm.SHA512: HEX * 2}),
        ("sha256:abc", {}),
        (f"sha256:{HEX.upper()}", {}),
        ("latest", {}),
        ("", {}),
    ],
)
def test_a_stated_digest_is_a_claim(text: str, claims: dict[Algorithm, str]) -> None:
    for route in (TAG, PINNED, BLOB):
        assert container.examine(route, {"docker-content-digest": text}, b"").claims == claims
    assert container.examine(LIST, {"docker-content-digest": text}, b"").claims == {}


@pytest.mark.parametrize(
    ("media_type", "head", "refusal"),
    [
        ("", b"<!DOCTYPE html>", "an HTML page"),
        ("text/html; charset=utf-8", b"{}", "content of type text/html"),
        ("text/html", b"", "content of type text/html"),
        ("", b"\x1f\x8b\x08\x00", "which is JSON, got the bytes 1F 8B 08 00"),
        ("application/json", b" []", "which is JSON, got the bytes 20 5B 5D"),
        ("", b"\xef\xbb\xbf{}", "which is JSON, got the bytes EF BB BF 7B"),
    ],
)
def test_what_cannot_be_a_manifest_or_list_is_refused(
    media_type: str, head: bytes, refusal: str
) -> None:
    whats = {TAG: "a manifest", LIST: "a list of tags", REFERRERS: "a list of referrers"}
    for route, what in whats.items():
        told = container.examine(route, {"content-type": media_type}, head).refusal
        assert told is not None
        assert told.startswith(f"expected {what}")
        assert told.endswith(refusal)


def test_a_blob_may_be_anything() -> None:
    for head in (b"<html>", b"\x00"):
        assert container.examine(BLOB, {"content-type": "text/html"}, head).refusal is None


def test_an_answer_without_a_body_is_judged_by_its_headers() -> None:
    headers = {"content-type": OCI_MANIFEST, "content-length": "512"}
    assert container.examine(TAG, headers, b"").refusal is None
    for length in ({"content-length": "0"}, {}):
        empty = {"content-type": OCI_MANIFEST, **length}
        told = container.examine(TAG, empty, b"").refusal
        assert told == "expected a manifest, got an empty body"
        known = {**empty, "docker-content-digest": f"sha256:{HEX}"}
        assert container.examine(TAG, known, b"").refusal is None


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"content-length": "7"}, None),
        ({}, None),
        ({"content-length": "0"}, "expected a blob, got an empty body"),
        ({"content-length": "7", "content-type": "text/html"}, "content of type text/html"),
    ],
)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_headers_alone_are_no_web_page_and_empty_for_the_empty_blob_alone(
    headers: dict[str, str], refusal: str | None, algorithm: str
) -> None:
    some = container.route(f"a/blobs/{algorithm}:{hashlib.new(algorithm, b'a').hexdigest()}")
    told = container.examine(some, headers, b"").refusal
    assert (told is None) == (refusal is None)
    assert (refusal or "") in (told or "")
    nothing = container.route(f"a/blobs/{algorithm}:{hashlib.new(algorithm).hexdigest()}")
    assert container.examine(nothing, headers, b"").refusal is None


def test_a_manifest_that_no_digest_proves_is_whole_or_refused() -> None:
    whole = b'{"schemaVersion": 2, "layers": [{"size": 1}]}\n'
    assert container.examine(TAG, {}, whole).refusal is None
    for cut in range(1, len(whole) - 1):
        told = container.examine(TAG, {}, whole[:cut]).refusal
        assert told is not None
        assert told.startswith("expected a manifest: the document is no JSON")
        # What a digest proves is for the digest to judge.
        claimed = {"docker-content-digest": f"sha256:{HEX}"}
        assert container.examine(TAG, claimed, whole[:cut]).refusal is None
        assert container.examine(PINNED, {}, whole[:cut]).refusal is None
    told = container.examine(TAG, {}, b'{"errors": [{"code": "UNKNOWN"}]}').refusal
    assert told == "expected a manifest: the document has none of schemaVersion, mediaType"
    # The first bytes of a larger one.
    assert container.examine(TAG, {}, b'{"a":"'.ljust(4096, b"b")).refusal is None


@pytest.mark.parametrize(
    ("stated", "own", "found"),
    [
        (OCI_INDEX, OCI_MANIFEST, OCI_MANIFEST),
        ("image/png", OCI_MANIFEST, OCI_MANIFEST),
        ("image/png", "", OCI_MANIFEST),
        (f"{OCI_MANIFEST}; charset=utf-8", OCI_MANIFEST, None),
        (OCI_MANIFEST, "image/png", None),
        (OCI_MANIFEST, "application/json", None),
        (OCI_MANIFEST, "application/x\\u0022", None),
    ],
)
def test_a_header_that_contradicts_the_document_is_not_believed(
    stated: str, own: str, found: str | None
) -> None:
    head = b'{"mediaType": "%b", "config": {}}' % own.encode()
    assert container.examine(PINNED, {"content-type": stated}, head).content_type == found


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("", OCI_INDEX),
        ("application/json; charset=utf-8", OCI_INDEX),
        ("Text/Plain", OCI_INDEX),
        ("binary/octet-stream", OCI_INDEX),
        ("no media type", OCI_INDEX),
        ("application/vnd.example.thing", None),
        (f"{OCI_MANIFEST}; charset=utf-8", None),
    ],
)
def test_the_document_says_what_it_is_where_the_header_does_not(
    stated: str, found: str | None
) -> None:
    head = b'\n {"schemaVersion": 2, "manifests": [{"mediaType": "x/y"}]}'
    examination = container.examine(TAG, {"content-type": stated}, head)
    assert examination.content_type == found
    assert examination.refusal is None
    assert container.examine(LIST, {"content-type": stated}, head).content_type is None


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        (OCI_INDEX, OCI_INDEX),
        ("application/vnd.example.sbom+json; a=b", "application/vnd.example.sbom+json"),
        (None, "application/octet-stream"),
        ("no media type", "application/octet-stream"),
        ("a/b\r\nX-Injected: 1", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("é/b", "application/octet-stream"),
        ("a/" + "b" * 128, "application/octet-stream"),
    ],
)
def test_a_manifest_is_called_what_its_upstream_called_it(stated: str | None, told: str) -> None:
    for route in (TAG, PINNED):
        headers = dict(container.headers(route, Representation(1, content_type=stated)))
        assert headers["Content-Type"] == told
    blob = dict(container.headers(BLOB, Representation(1, content_type=stated)))
    assert blob["Content-Type"] == "application/octet-stream"


def test_the_digest_is_in_the_algorithm_asked_with() -> None:
    known = Representation(1, {Algorithm.SHA512: "5" * 128, Algorithm.SHA256: "2" * 64})

    def digest(path: str, representation: Representation) -> str | None:
        headers = dict(container.headers(container.route(path), representation))
        return headers.get("Docker-Content-Digest")

    assert digest("a/manifests/latest", known) == f"sha256:{'2' * 64}"
    assert digest(f"a/blobs/sha512:{'5' * 128}", known) == f"sha512:{'5' * 128}"
    assert digest(f"a/manifests/sha256:{HEX}", Representation(None)) == f"sha256:{HEX}"
    only = Representation(1, {Algorithm.SHA512: "5" * 128, Algorithm.MD5: "0" * 32})
    assert digest("a/manifests/latest", only) == f"sha512:{'5' * 128}"
    assert digest("a/manifests/latest", Representation(1)) is None
    assert digest("a/tags/list", known) is None


def test_lists_have_their_media_types() -> None:
    for path, media_type in (
        ("a/tags/list", "application/json"),
        ("_catalog", "application/json"),
        (f"a/referrers/sha256:{HEX}", OCI_INDEX),
    ):
        headers = dict(container.headers(container.route(path), Representation(1)))
        assert headers["Content-Type"] == media_type
        assert headers["Docker-Distribution-Api-Version"] == "registry/2.0"
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "route", [TAG, PINNED, BLOB, LIST, REFERRERS], ids=lambda one: one.path[:20]
)
def test_no_browser_runs_or_shows_what_anybody_may_have_published(route: Route) -> None:
    headers = dict(container.headers(route, Representation(1, content_type="image/svg+xml")))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Content-Disposition"] == "attachment"


@given(st.text(max_size=30), st.binary(max_size=60))
def test_any_answer_is_judged(text: str, head: bytes) -> None:
    headers = {"content-type": text, "docker-content-digest": text, "content-length": text}
    for route in (TAG, BLOB, LIST, REFERRERS):
        examination = container.examine(route, headers, head)
        assert examination.refusal is None or examination.refusal.startswith("expected ")

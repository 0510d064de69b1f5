"""Errors and warnings (OCI distribution-spec, Error Codes, Warnings)."""

from __future__ import annotations

import re

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client, error_code
from tests.conformance.conftest import Open
from tests.conformance.shelf import fresh_name, publish, publish_tags
from tests.e2e.images import single
from virtreg.wsgi.warnings import warning_value

pytestmark = pytest.mark.e2e

SECTION = "Error Codes"
DIGEST = f"sha256:{'0' * 64}"
ERRORS = [
    ("a/manifests/missing", 404, "MANIFEST_UNKNOWN"),
    (f"a/manifests/{DIGEST}", 404, "MANIFEST_UNKNOWN"),
    (f"a/blobs/{DIGEST}", 404, "BLOB_UNKNOWN"),
    ("a/tags/list", 404, "NAME_UNKNOWN"),
    ("a/tags/list?n=x", 404, "NAME_UNKNOWN"),
    ("a/tags/other", 404, "NAME_UNKNOWN"),
    ("a/b/c", 404, "NAME_UNKNOWN"),
    ("a", 404, "NAME_UNKNOWN"),
    (f"a/blobs/{DIGEST}/", 404, "NAME_UNKNOWN"),
    ("A/manifests/1", 400, "NAME_INVALID"),
    ("a/manifests/sha256:x", 400, "DIGEST_INVALID"),
    ("a/blobs/latest", 400, "DIGEST_INVALID"),
    ("a/referrers/latest", 400, "DIGEST_INVALID"),
    ("a/manifests/", 404, "MANIFEST_UNKNOWN"),
    ("%FF/manifests/1", 400, "UNSUPPORTED"),
]


@clause(SECTION, "MUST", "a 4xx in JSON is `errors`, each with a code of the table")
@clause(SECTION, "SHOULD", "`message` is for a person; here it is never empty")
@pytest.mark.parametrize(("path", "status", "code"), ERRORS, ids=[error[0] for error in ERRORS])
def test_every_error_is_told(client: Client, path: str, status: int, code: str) -> None:
    assert client.refused(path) == (status, code)


@clause(SECTION, "MUST", "conditions that do not hold are told with a code of the table, too")
def test_conditions_that_do_not_hold(client: Client) -> None:
    image = single(fresh_name())
    publish(client.origin, image)
    client.prepare_image(image)
    path = f"{image.name}/manifests/{image.tag}"
    answer = client.get(path, {"If-Match": '"another"'})
    assert (answer.status, error_code(answer)) == (412, "UNSUPPORTED")
    answer = client.get(path, {"Range": "bytes=9999999-"})
    assert (answer.status, error_code(answer)) == (416, "UNSUPPORTED")


@clause(
    SECTION,
    "MAY",
    "a 5xx may be told in any form",
    "the same form, with `UNAVAILABLE` for what may pass and `UNKNOWN` for the rest, which clients "
    "know from Docker's registry, since the table has no such codes",
)
def test_an_upstream_that_is_broken(opened: Open) -> None:
    client = opened()
    client.origin.put("v2/a/manifests/1", status=500)
    answer = client.get("a/manifests/1")
    assert (answer.status, error_code(answer)) == (502, "UNAVAILABLE")
    assert int(answer["Retry-After"]) > 0


@clause(
    SECTION,
    "MUST",
    "too many requests are told as `TOOMANYREQUESTS`",
    "with 503 and `Retry-After`: it is the upstream that has too many, and some clients ask again "
    "at once after 429",
)
def test_an_upstream_that_has_enough(opened: Open) -> None:
    client = opened()
    client.origin.put("v2/a/manifests/1", status=429, headers={"Retry-After": "30"})
    answer = client.get("a/manifests/1")
    assert (answer.status, error_code(answer)) == (503, "TOOMANYREQUESTS")
    assert 0 < int(answer["Retry-After"]) <= 30


@clause("Warnings", "MAY", "what is old or incomplete comes with a `Warning`")
@clause("Warnings", "MUST", "the code is 299, the agent `-`, and there is no date")
def test_what_is_stale_comes_with_a_warning(opened: Open) -> None:
    client = opened(cache_validity_hours=1e-6, metadata_cache_validity_hours=1e-6)
    image = single("team/app")
    publish(client.origin, image)
    publish_tags(client.origin, image.name, [image.tag])
    targets = (f"{image.name}/manifests/{image.tag}", f"{image.name}/tags/list")
    for path in targets:
        assert "Warning" not in client.get(path)
        client.origin.put(f"v2/{path}", status=500)
    for path in targets:
        while (answer := client.get(path)).origin != "stale":
            assert answer.status == 200
        assert answer.status == 200
        assert re.fullmatch(r'299 - "[^"\\]+"', answer["Warning"])


@clause("Warnings", "MUST", "all warnings together, which are one here, have 4096 bytes at most")
def test_a_warning_is_cut() -> None:
    for character in ("x", '"', "é"):
        value = warning_value(character * 5000)
        assert 4090 < len(value.encode()) <= 4096
        assert value.endswith('"')

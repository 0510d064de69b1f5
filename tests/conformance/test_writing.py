"""What a registry that one only pulls from does not do (OCI distribution-spec, Push, Content
Management)."""

from __future__ import annotations

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client, error_code
from tests.conformance.shelf import fresh_name, publish
from tests.e2e.images import Image, single

pytestmark = pytest.mark.e2e

DIGEST = f"sha256:{'0' * 64}"
UPLOADS = [
    ("POST", "blobs/uploads/", "end-4a"),
    ("POST", f"blobs/uploads/?digest={DIGEST}", "end-4b"),
    ("PATCH", "blobs/uploads/1-2", "end-5"),
    ("PUT", f"blobs/uploads/1-2?digest={DIGEST}", "end-6"),
    ("PUT", "manifests/1", "end-7"),
    ("PUT", f"manifests/{DIGEST}", "end-7"),
    ("POST", f"blobs/uploads/?mount={DIGEST}&from=a/b", "end-11"),
    ("DELETE", "blobs/uploads/1-2", "end-14"),
]


@pytest.fixture
def image(client: Client) -> Image:
    image = single(fresh_name())
    publish(client.origin, image)
    client.prepare_image(image)
    return image


def read_only(client: Client, method: str, path: str) -> None:
    answer = client.ask(method, path)
    assert (answer.status, error_code(answer)) == (405, "UNSUPPORTED")
    assert answer["Allow"] == "GET, HEAD"


@clause(
    "Push",
    "SHOULD",
    "content can be pushed (end-4 to end-7, end-11, end-14)",
    "this category is not claimed: 405 `UNSUPPORTED`",
)
@pytest.mark.parametrize(
    ("method", "path"), [one[:2] for one in UPLOADS], ids=[f"{one[2]}" for one in UPLOADS]
)
def test_pushing(client: Client, image: Image, method: str, path: str) -> None:
    for name in (image.name, "UPPER"):
        read_only(client, method, f"{name}/{path}")


@clause("Push", "MUST", "the status of an upload that is not there is 404 (end-13)")
def test_the_status_of_an_upload(client: Client) -> None:
    assert client.refused("a/blobs/uploads/1-2")[0] == 404


@clause(
    "Content Management", "MUST", "deletion that is disabled is 400 or 405: 405 (end-9, end-10)"
)
def test_deleting(client: Client, image: Image) -> None:
    paths = [f"{image.name}/manifests/{image.tag}", f"{image.name}/manifests/{image.digest}"]
    paths += [f"{image.name}/blobs/{blob.digest}" for blob in image.blobs]
    for path in paths:
        read_only(client, "DELETE", path)
        assert client.get(path).status == 200
    read_only(client, "DELETE", f"{fresh_name()}/manifests/1")

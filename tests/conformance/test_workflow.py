"""What the official conformance suite pulls and discovers, over a registry as people run it.

The suite pushes through the registry under test; here content is pushed to the upstream, which has
no referrers API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.clauses import clause
from tests.conformance.client import Client
from tests.conformance.conftest import DOCUMENTED, ROOT
from tests.e2e import images
from tests.e2e.distribution import Distribution
from tests.e2e.images import OCI_INDEX, Image
from tests.e2e.server import Server, Upstream
from tests.wsgi.doors import Connected
from virtreg.testing.origin import Origin

pytestmark = pytest.mark.e2e

NAME = "conformance/repository"
SUBJECT = images.single(NAME, "image")
SIGNATURE, REFERRERS = images.signed(SUBJECT)
DATA = {
    "image": SUBJECT,
    "docker": images.single(NAME, "docker", family="docker"),
    "index": images.multi(NAME, "index"),
    "nested index": images.nested(NAME, "index-of-index"),
    "artifact": images.artifact(NAME, b"report", "artifact"),
    "blobs of SHA-512": images.single(NAME, "sha512", algorithm="sha512"),
    "artifact with subject": SIGNATURE,
    "referrers tag": REFERRERS,
}


@pytest.fixture(scope="module", params=[DOCUMENTED, ROOT], ids=["documented", "root"])
def pulled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, origin: Origin
) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("workflow")
    with Distribution(folder / "upstream", folder / "storage") as upstream:
        for image in DATA.values():
            upstream.push(image)
        server = Server(folder / "server", [Upstream("near", upstream.url)], format="container")
        server.start()
        try:
            yield Client(Connected(server.port, ""), origin, request.param, warm=False)
        finally:
            server.stop()


@clause(
    "Pulling manifests", "suite", "HEAD, then GET, of each tag and each manifest, byte for byte"
)
@clause("Pulling blobs", "suite", "HEAD, then GET, of each blob, byte for byte")
@pytest.mark.parametrize("kind", DATA)
def test_everything_is_pulled(pulled: Client, kind: str) -> None:
    image: Image = DATA[kind]
    manifests = [(image.tag, image.top), *((one.digest, one) for one in image.manifests)]
    for _ in range(2):
        for reference, manifest in manifests:
            path = f"{NAME}/manifests/{reference}"
            without, answer = pulled.head(path), pulled.get(path)
            assert answer.body == manifest.body
            for told in (without, answer):
                assert (told.status, told["Content-Type"]) == (200, manifest.media_type)
                assert told["Docker-Content-Digest"] == manifest.digest
                assert told["Content-Length"] == str(len(manifest.body))
        for blob in image.blobs:
            path = f"{NAME}/blobs/{blob.digest}"
            without, answer = pulled.head(path), pulled.get(path)
            assert answer.body == blob.source
            for told in (without, answer):
                assert (told.status, told["Docker-Content-Digest"]) == (200, blob.digest)
                assert told["Content-Length"] == str(blob.size)


@clause("Listing Tags", "suite", "every tag that was pushed is listed")
def test_every_tag_is_listed(pulled: Client) -> None:
    for _ in range(2):
        answer = pulled.get(f"{NAME}/tags/list")
        expected = sorted({image.tag for image in DATA.values()}, key=str.lower)
        assert json.loads(answer.body) == {"name": NAME, "tags": expected}


@clause("Listing Referrers", "suite", "each referrer is listed with type, size, digest and kind")
def test_every_referrer_is_listed(pulled: Client) -> None:
    path = f"{NAME}/referrers/{SUBJECT.digest}"
    (expected,) = json.loads(REFERRERS.top.body)["manifests"]
    for query in ("", f"?artifactType={expected['artifactType']}"):
        answer = pulled.get(path + query)
        assert (answer.status, answer["Content-Type"]) == (200, OCI_INDEX)
        assert json.loads(answer.body)["manifests"] == [expected]

"""Many clients want the same cold image at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.distribution import Distribution
from tests.e2e.gallery import Gallery
from tests.e2e.images import Image
from tests.e2e.server import Server, Upstream
from tests.e2e.skopeo import Skopeo
from tests.e2e.transfer import fetch

pytestmark = pytest.mark.e2e

PLAIN = 50
REAL = 5


def test_fifty_cold_pulls_fetch_everything_once(
    distributions: dict[str, Distribution],
    sources: list[Upstream],
    serve: Serve,
    pictures: Gallery,
    tmp_path: Path,
) -> None:
    server = serve(*sources, kind="container")
    image = pictures.many
    skopeo = Skopeo(tmp_path / "skopeo")
    start = threading.Barrier(PLAIN + REAL)

    def plain() -> set[str]:
        start.wait(60)
        return _pulled(server, image)

    def real(number: int) -> set[str]:
        start.wait(60)
        return skopeo.copy(image.by_tag(server.images), name=f"crowd-{number}")

    with ThreadPoolExecutor(PLAIN + REAL) as pool:
        pulls = [pool.submit(plain) for _ in range(PLAIN)]
        pulls += [pool.submit(real, number) for number in range(REAL)]
        assert [pull.result(100) for pull in pulls] == [image.digests] * (PLAIN + REAL)

    assert distributions["second"].sent(image) == sorted(image.digests)
    assert distributions["third"].sent(image) == []


def _pulled(server: Server, image: Image) -> set[str]:
    """Pull without caring what a client would do first; digests of what arrived."""
    base = f"http://{server.host}/v2/main/{image.name}"
    urls = [f"{base}/manifests/{image.tag}", *(f"{base}/blobs/{one.digest}" for one in image.blobs)]
    answers = [fetch(url) for url in urls]
    assert [answer.status for answer in answers] == [200] * len(urls)
    return {f"sha256:{answer.sha256}" for answer in answers}
